//! From API call to answer: a listener, a target, a health check that is really made, a request.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use interstella_autoscaling::series::Statistic;
use interstella_localcloud::call::Service;
use interstella_localcloud::clock::Clock;
use interstella_localcloud::cloud::{Cloud, Runtime};
use interstella_localcloud::cloudwatch::{self, MetricName, MetricStat, Watched};
use interstella_localcloud::effect::{Effect, Report};
use interstella_localcloud::elb;
use interstella_localcloud::images::Images;
use interstella_localcloud::proxy::{Proxy, Sockets};
use interstella_localcloud::runtime::health_check;
use interstella_localcloud::world::World;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{PATIENCE, reserve, until};

/// Makes health checks for real.
struct Checks;

impl Runtime for Checks {
    fn apply(&self, cloud: &Arc<Cloud>, effect: Effect) -> Vec<(Duration, Report)> {
        if let Effect::CheckTarget(request) = effect {
            let cloud = Arc::clone(cloud);
            tokio::spawn(async move {
                let (target_group_arn, target) = (request.target_group_arn.clone(), request.target.clone());
                let result = health_check::check(request).await;
                cloud.report(Report::TargetChecked { target_group_arn, target, result });
            });
        }
        Vec::new()
    }
}

fn call(cloud: &Arc<Cloud>, operation: &str, input: Value) -> Value {
    cloud.call(Service::Elb, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// Serves `GET /` on a port that the address table gives out.
fn serve(world: &mut World) {
    world.addresses.port_probe = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let address: SocketAddr = world.addresses.bind("i-1", 32768).unwrap();
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                crate::backend::reply(
                    &mut stream,
                    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi",
                )
                .await;
            });
        }
    });
}

async fn get(host: &str, port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Values of a load balancer's metric, added up once the minutes are over; of response times their number.
fn counted(cloud: &Arc<Cloud>, name: &str, balancer: &str) -> f64 {
    let metric = MetricName {
        namespace: "AWS/ApplicationELB".to_owned(),
        name: name.to_owned(),
        dimensions: BTreeMap::from([("LoadBalancer".to_owned(), balancer.to_owned())]),
    };
    let statistic = if name == "TargetResponseTime" { Statistic::SampleCount } else { Statistic::Sum };
    let watched = Watched::Metric(MetricStat { metric, statistic, period_seconds: 60, unit: None });
    let points = cloud.with_world(|world, now| {
        // What came shortly before the minute's end is reported in the next one, which has to be over too.
        let then = now.after(Duration::from_secs(120));
        world.fire_due(then);
        cloudwatch::points(world, &watched, then, 3).unwrap()
    });
    points.iter().filter_map(|point| point.value).sum()
}

#[tokio::test]
async fn a_registered_target_becomes_healthy_and_serves() {
    let sockets = Arc::new(Sockets::default());
    let port = reserve(&sockets);
    let mut world = World::new("us-west-2", 7, Images::default());
    world.elb.listen_on(sockets.clone());
    let proxy = Proxy::new(sockets, Vec::new());
    world.elb.count_with(Arc::new(proxy.clone()));
    serve(&mut world);
    let cloud = Cloud::new(world, Clock::live(1.0), Box::new(Checks));
    tokio::spawn(Arc::clone(&cloud).run_timers());
    let routing = cloud.with_world(|world, _| elb::subscribe(world));
    tokio::spawn(async move { proxy.run(routing, std::future::pending()).await });

    let subnets = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"];
    let balancer = call(&cloud, "CreateLoadBalancer", json!({ "Name": "shop", "Subnets": subnets }));
    let balancer = &balancer["LoadBalancers"][0];
    let group = json!({ "Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d4e5f60001" });
    let group = call(&cloud, "CreateTargetGroup", group)["TargetGroups"][0]["TargetGroupArn"].clone();
    let listener = json!({
        "LoadBalancerArn": balancer["LoadBalancerArn"], "Protocol": "HTTP", "Port": port,
        "DefaultActions": [{ "Type": "forward", "TargetGroupArn": group }],
    });
    call(&cloud, "CreateListener", listener);
    let host = balancer["DNSName"].as_str().unwrap();
    assert!(get(host, port).await.starts_with("HTTP/1.1 503"));

    let targets = json!({ "TargetGroupArn": group, "Targets": [{ "Id": "i-1", "Port": 32768 }] });
    call(&cloud, "RegisterTargets", targets);
    let health = || {
        let output = call(&cloud, "DescribeTargetHealth", json!({ "TargetGroupArn": group }));
        output["TargetHealthDescriptions"][0]["TargetHealth"]["State"].clone()
    };
    until("the target is healthy", || health() == "healthy").await;
    let answer = tokio::time::timeout(PATIENCE, get(host, port)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("hi"), "{answer}");
    let (_, name) = balancer["LoadBalancerArn"].as_str().unwrap().split_once("loadbalancer/").unwrap();
    let metrics = ["RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_ELB_5XX_Count", "TargetResponseTime"];
    assert_eq!(metrics.map(|metric| counted(&cloud, metric, name)), [1.0; 4]);
}

#[test]
fn a_port_that_something_else_holds_is_the_calls_error() {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    let mut world = World::new("us-west-2", 7, Images::default());
    world.elb.listen_on(Arc::new(Sockets::default()));
    let cloud = Cloud::new(world, Clock::live(1.0), Box::new(Checks));
    let subnets = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"];
    let balancer = call(&cloud, "CreateLoadBalancer", json!({ "Name": "shop", "Subnets": subnets }));
    let input = json!({
        "LoadBalancerArn": balancer["LoadBalancers"][0]["LoadBalancerArn"], "Protocol": "HTTP", "Port": port,
        "DefaultActions": [{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "200" } }],
    });
    let error = cloud.call(Service::Elb, "CreateListener", input).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "InvalidConfigurationRequest: The local cloud cannot listen on port {port}: another program on this machine \
             holds it. Choose another listener port"
        )
    );
}
