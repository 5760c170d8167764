//! A runtime that delivers for real and runs everything else in the books.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use interstella_localcloud::cloud::{Cloud, Runtime};
use interstella_localcloud::effect::{DeliveryRequest, Effect, Report};
use interstella_localcloud::runtime::deliver::deliver;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::runtime::signer::Signer;
use interstella_localcloud::sns::endpoint;
use tokio::sync::watch;

/// Longest time until the worker has answered; SNS itself gives up after 15 seconds.
const ANSWER: Duration = Duration::from_secs(60);

/// The runtime. Clones share one state.
#[derive(Clone)]
pub struct Deliveries(Arc<Inner>);

struct Inner {
    model: Model,
    signer: Signer,
    /// Where the worker is. The load balancer between SNS and the worker is left out.
    worker: String,
    under_way: watch::Sender<usize>,
    answers: Mutex<Vec<Option<u16>>>,
}

impl Deliveries {
    pub fn new(model: Model, signer: Signer, worker: String) -> Self {
        Self(Arc::new(Inner { model, signer, worker, under_way: watch::Sender::new(0), answers: Mutex::default() }))
    }

    /// Waits until every delivery that was begun has been answered.
    pub async fn answered(&self) {
        let mut under_way = self.0.under_way.subscribe();
        tokio::time::timeout(ANSWER, under_way.wait_for(|count| *count == 0))
            .await
            .expect("the worker answers")
            .unwrap();
    }

    /// Takes what the worker has answered since the last look; `None` is no answer.
    pub fn take_answers(&self) -> Vec<Option<u16>> {
        std::mem::take(&mut *self.0.answers.lock().unwrap())
    }

    /// Delivers past SNS, as a person does with a dead letter.
    pub async fn deliver_by_hand(
        &self,
        cloud: &Cloud,
        message: serde_json::Map<String, serde_json::Value>,
    ) -> Option<u16> {
        let endpoint = format!("{}/order/", self.0.worker);
        let request =
            DeliveryRequest { delivery_id: 0, endpoint, moved_port: None, headers: Vec::new(), message, raw: false };
        deliver(&self.0.signer, cloud, request).await.0
    }
}

impl Inner {
    async fn deliver(&self, cloud: &Arc<Cloud>, mut request: DeliveryRequest) {
        let delivery_id = request.delivery_id;
        request.endpoint = format!("{}{}", self.worker, endpoint::read(&request.endpoint).unwrap().path);
        let (status, message) = deliver(&self.signer, cloud, request).await;
        self.answers.lock().unwrap().push(status);
        cloud.report(Report::Delivered { delivery_id, status, message });
    }
}

impl Runtime for Deliveries {
    fn apply(&self, cloud: &Arc<Cloud>, effect: Effect) -> Vec<(Duration, Report)> {
        let Effect::Deliver(request) = effect else { return self.0.model.apply(cloud, effect) };
        let (inner, cloud) = (Arc::clone(&self.0), Arc::clone(cloud));
        inner.under_way.send_modify(|count| *count += 1);
        tokio::spawn(async move {
            inner.deliver(&cloud, request).await;
            inner.under_way.send_modify(|count| *count -= 1);
        });
        Vec::new()
    }
}
