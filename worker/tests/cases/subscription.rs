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
