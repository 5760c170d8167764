#![allow(clippy::unwrap_used, clippy::expect_used)]

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use webpki::anchor_from_trusted_cert;

use super::*;

const HOST: &str = "sns.us-west-2.amazonaws.com";

fn key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(name: &str, issuer: &CertifiedIssuer<'_, KeyPair>) -> CertificateDer<'static> {
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.signed_by(&key(), issuer).unwrap().der().clone()
}

#[test]
fn w08_a_chain_must_reach_a_root_and_name_sns() {
    let now = "2026-11-22T20:00:00Z".parse().unwrap();
    let (root, stranger) = (authority(), authority());
    let anchors = [anchor_from_trusted_cert(root.der()).unwrap()];
    let self_signed = CertificateParams::new(vec![HOST.to_owned()]).unwrap().self_signed(&key()).unwrap().der().clone();
    let good = leaf(HOST, &root);
    for (what, chain, expected) in [
        ("good", vec![good.clone()], None),
        ("the name without a region", vec![leaf("sns.amazonaws.com", &root)], None),
        ("another region", vec![leaf("sns.us-east-1.amazonaws.com", &root)], Some("SNS's")),
        ("another name", vec![leaf("evil.com", &root)], Some("SNS's")),
        ("another root", vec![leaf(HOST, &stranger)], Some("roots")),
        ("another root, sent along", vec![leaf(HOST, &stranger), stranger.der().clone()], Some("roots")),
        ("self-signed", vec![self_signed], Some("roots")),
        ("rubbish", vec![CertificateDer::from(vec![1, 2, 3])], Some("X.509")),
        ("nothing", vec![], Some("empty")),
    ] {
        let problem = check(&chain, Trust::Chain { anchors: &anchors, host: HOST }, now).err();
        match expected {
            None => assert_eq!(problem, None, "{what}"),
            Some(words) => assert!(problem.is_some_and(|problem| problem.contains(words)), "{what}: {problem:?}"),
        }
    }
    let late = "2090-01-01T00:00:00Z".parse().unwrap();
    assert!(check(&[good], Trust::Chain { anchors: &amazon_roots(), host: HOST }, late).is_err());
}

#[test]
fn amazons_roots_are_among_mozillas() {
    let roots = amazon_roots();
    assert!((4..10).contains(&roots.len()), "{}", roots.len());
    assert!(roots.len() < webpki_roots::TLS_SERVER_ROOTS.len());
}

#[test]
fn only_amazon_trust_services_is_asked_for_an_issuer() {
    for (url, expected) in [
        ("http://crt.r2m01.amazontrust.com/r2m01.cer", true),
        ("http://crt.r2m01.amazontrust.com.evil.com/r2m01.cer", false),
        ("http://crt.evil.com/.amazontrust.com/r2m01.cer", false),
        ("http://crt.a@b.amazontrust.com/r2m01.cer", false),
        ("http://crt.r2m01.amazontrust.com:80/r2m01.cer", false),
        ("http://crt.r2m01.amazontrust.com/../r2m01.cer", false),
        ("https://169.254.169.254/r2m01.cer", false),
    ] {
        assert_eq!(is_issuer_url(url), expected, "{url}");
    }
}
