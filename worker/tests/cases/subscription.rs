//! W20–W26: a subscription is confirmed by us, at the topic's own SNS, and never by following a URL.

use super::fake::Fake;
use super::sender::{Message, SNS, TOPIC};
use super::support::{Rig, Setup};

const TOKEN: &str = "canary-token+/=";

fn confirmation(rig: &Rig, kind: &str, url: &str) -> Message {
    let members = [("Message", "You have chosen to subscribe"), ("Token", TOKEN), ("SubscribeURL", url)];
    rig.finish(Message::new(kind, &members)).signed(&SNS)
}

#[tokio::test]
async fn w20_w21_the_subscribe_url_is_never_fetched() {
    let rig = Rig::new().await;
    let urls = [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://internal.example/",
        "https://sns.us-west-2.amazonaws.com/?Action=DeleteTopic",
        "not a url",
    ];
    for url in urls {
        assert_eq!(rig.send(&confirmation(&rig, "SubscriptionConfirmation", url)).await.status, 200, "{url}");
    }
    let sns = rig.sns.lock().unwrap();
    assert_eq!(sns.confirmed.len(), urls.len());
    let expected = "Action=ConfirmSubscription&Version=2010-03-31\
                    &TopicArn=arn%3Aaws%3Asns%3Aus-west-2%3A123456789012%3AorderTopic&Token=canary-token%2B%2F%3D";
    assert!(sns.confirmed.iter().all(|asked| asked.path == "/" && asked.body == expected), "{:?}", sns.confirmed);
    let origin = rig.sns_origin.trim_start_matches("http://");
    assert!(rig.hosts.lock().unwrap().iter().all(|host| host == origin));
}

#[tokio::test]
async fn w22_only_our_own_topics_are_confirmed() {
    let rig = Rig::new().await;
    let foreign = confirmation(&rig, "SubscriptionConfirmation", "u")
        .with("TopicArn", &TOPIC.replace("123456789012", "999999999999"))
        .signed(&SNS);
    assert_eq!(rig.send(&foreign).await.status, 403);
    let forged = confirmation(&rig, "SubscriptionConfirmation", "u").with("Token", "other");
    assert_eq!(rig.send(&forged).await.status, 403);
    assert!(rig.sns.lock().unwrap().confirmed.is_empty());
}

#[tokio::test]
async fn w23_a_failed_confirmation_is_try_later() {
    let rig = Setup::new().short().start().await;
    let message = confirmation(&rig, "SubscriptionConfirmation", "u");
    for fake in
        [Fake::Reset, Fake::Answer(400, "InvalidParameter".to_owned()), Fake::Answer(500, String::new()), Fake::Hang]
    {
        rig.sns.lock().unwrap().confirm_with = Some(fake.clone());
        assert_eq!(rig.send(&message).await.status, 503, "{fake:?}");
    }
    rig.sns.lock().unwrap().confirm_with = None;
    for _ in 0..2 {
        assert_eq!(rig.send(&message).await.status, 200);
    }
}

#[tokio::test]
async fn w24_the_token_is_in_no_reply() {
    let rig = Rig::new().await;
    rig.sns.lock().unwrap().confirm_with = Some(Fake::Answer(500, TOKEN.to_owned()));
    let reply = rig.send(&confirmation(&rig, "SubscriptionConfirmation", "u")).await;
    assert!(!format!("{reply:?}").contains("canary"));
}

#[tokio::test]
async fn w25_being_unsubscribed_is_an_alarm_and_fetches_nothing() {
    let rig = Rig::new().await;
    let reply = rig.send(&confirmation(&rig, "UnsubscribeConfirmation", "http://169.254.169.254/")).await;
    assert_eq!(reply.status, 200);
    assert!(rig.sns.lock().unwrap().confirmed.is_empty());
    assert!(rig.metrics().await.contains("worker_alarms_total{kind=\"unsubscribed\"} 1"));
}

/// What SNS gets is what was signed: the signature is made again here, from what arrived, as AWS documents it.
#[cfg(feature = "signed-confirmation")]
#[tokio::test]
async fn w26_a_confirmation_under_the_tasks_role_forbids_others_to_unsubscribe() {
    use super::fake::{Asked, serve};
    use super::program::Program;
    use std::sync::{Arc, Mutex};

    let confirmed = Arc::<Mutex<Vec<Asked>>>::default();
    let confirmed_too = Arc::clone(&confirmed);
    let address = serve(move |asked| {
        if asked.method == "GET" {
            return Fake::Answer(200, SNS.pem.clone());
        }
        confirmed_too.lock().unwrap().push(asked.clone());
        Fake::Answer(200, String::new())
    });
    let program = Program::start(format!("http://{}", address.await), |command| {
        command.env("INTERSTELLA_SNS_AUTHENTICATE_ON_UNSUBSCRIBE", "true");
        command.env("AWS_ACCESS_KEY_ID", "akid").env("AWS_SECRET_ACCESS_KEY", "canary-key");
        command.env("AWS_SESSION_TOKEN", "canary-session").env("AWS_REGION", "eu-west-1");
    })
    .await;
    let members = [("Message", "You have chosen to subscribe"), ("Token", TOKEN), ("SubscribeURL", "u")];
    assert_eq!(program.send(&program.message("SubscriptionConfirmation", &members)).await, 200);
    let asked = confirmed.lock().unwrap()[0].clone();
    assert!(asked.body.ends_with("&Token=canary-token%2B%2F%3D&AuthenticateOnUnsubscribe=true"), "{}", asked.body);
    assert_eq!(asked.header("x-amz-security-token"), Some("canary-session"));
    assert_eq!(asked.header("authorization"), Some(authorization(&asked).as_str()));
    assert!(!program.output.lock().unwrap().contains("canary"));
}

/// Signature version 4 over a request to the topic's region. (Header values arrive in lower case, and so all of them are.)
#[cfg(feature = "signed-confirmation")]
fn authorization(asked: &super::fake::Asked) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

    let hash = |text: &str| hex::encode(digest(&SHA256, text.as_bytes()));
    let names = ["content-type", "host", "x-amz-date", "x-amz-security-token"];
    // The one value with capital letters is the time.
    let value = |name: &str| match asked.header(name).unwrap() {
        value if name == "x-amz-date" => value.to_uppercase(),
        value => value.to_owned(),
    };
    let headers: String = names.iter().map(|name| format!("{name}:{}\n", value(name))).collect();
    let canonical = format!("POST\n/\n\n{headers}\n{}\n{}", names.join(";"), hash(&asked.body));
    let time = value("x-amz-date");
    let scope = [&time[..8], "us-west-2", "sns", "aws4_request"];
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{}\n{}", scope.join("/"), hash(&canonical));
    let key = scope.iter().fold(b"AWS4canary-key".to_vec(), |key, part| {
        sign(&Key::new(HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
    });
    let signature = hex::encode(sign(&Key::new(HMAC_SHA256, &key), text.as_bytes()));
    let credential = format!("akid/{}", scope.join("/"));
    format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={}, Signature={signature}", names.join(";"))
        .to_lowercase()
}
