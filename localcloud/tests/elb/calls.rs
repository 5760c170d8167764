//! Load balancing through the API: defaults, echoes, idempotency, errors, paging.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Elb, SUBNETS, VPC};

#[test]
fn load_balancers_have_awss_defaults_and_become_active() {
    let elb = Elb::new();
    let arn = elb.load_balancer("shop");
    let described = &elb.ok("DescribeLoadBalancers", json!({ "Names": ["shop"] }))["LoadBalancers"][0];
    assert_eq!(described["State"]["Code"], "provisioning");
    assert_eq!(described["Scheme"], "internet-facing");
    assert_eq!(described["Type"], "application");
    assert_eq!(described["IpAddressType"], "ipv4");
    assert_eq!(described["AvailabilityZones"][1]["ZoneName"], "us-west-2b");
    let dns_name = described["DNSName"].as_str().unwrap();
    assert!(dns_name.starts_with("shop-") && dns_name.ends_with(".us-west-2.elb.localhost"), "{dns_name}");
    elb.cloud.advance(Duration::from_millis(200));
    let described = elb.ok("DescribeLoadBalancers", json!({ "LoadBalancerArns": [arn] }));
    assert_eq!(described["LoadBalancers"][0]["State"]["Code"], "active");
}

/// Trap 7: target groups keep interval, thresholds and matcher; listeners and rules keep and add what AWS shows.
#[test]
fn trap_7_nothing_of_a_target_group_listener_or_rule_is_lost() {
    let elb = Elb::new();
    let group = elb.ok(
        "CreateTargetGroup",
        json!({
            "Name": "full", "Protocol": "HTTP", "Port": 80, "VpcId": VPC, "TargetType": "ip", "HealthCheckPath": "/livez",
            "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 3, "HealthyThresholdCount": 3,
            "UnhealthyThresholdCount": 4, "Matcher": { "HttpCode": "200-299" }, "HealthCheckPort": "8080",
        }),
    );
    let arn = group["TargetGroups"][0]["TargetGroupArn"].as_str().unwrap().to_owned();
    let shown = &elb.ok("DescribeTargetGroups", json!({ "Names": ["full"] }))["TargetGroups"][0];
    assert_eq!(
        *shown,
        json!({
            "TargetGroupArn": arn, "TargetGroupName": "full", "Protocol": "HTTP", "Port": 80, "VpcId": VPC,
            "HealthCheckProtocol": "HTTP", "HealthCheckPort": "8080", "HealthCheckEnabled": true,
            "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 3, "HealthyThresholdCount": 3,
            "UnhealthyThresholdCount": 4, "HealthCheckPath": "/livez", "Matcher": { "HttpCode": "200-299" },
            "LoadBalancerArns": [], "TargetType": "ip", "ProtocolVersion": "HTTP1", "IpAddressType": "ipv4",
        })
    );
    let listener = elb.listener(&elb.load_balancer("shop"), 5000, &elb.forward(&arn));
    let shown = &elb.ok("DescribeListeners", json!({ "ListenerArns": [listener] }))["Listeners"][0];
    let forward = json!({
        "Type": "forward", "TargetGroupArn": arn, "ForwardConfig": {
            "TargetGroups": [{ "TargetGroupArn": arn, "Weight": 1 }], "TargetGroupStickinessConfig": { "Enabled": false },
        },
    });
    assert_eq!(shown["DefaultActions"], json!([forward]));
    let rule = elb.ok(
        "CreateRule",
        json!({
            "ListenerArn": listener, "Priority": 7,
            "Conditions": [
                { "Field": "path-pattern", "PathPatternConfig": { "Values": ["/a*"] } },
                { "Field": "host-header", "Values": ["*.shop.test"] },
            ],
            "Actions": [{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "418", "MessageBody": "tea" } }],
        }),
    );
    let rule = &rule["Rules"][0];
    assert_eq!(rule["Priority"], "7");
    assert_eq!(
        rule["Conditions"],
        json!([
            { "Field": "host-header", "Values": ["*.shop.test"], "HostHeaderConfig": { "Values": ["*.shop.test"] } },
            { "Field": "path-pattern", "Values": ["/a*"], "PathPatternConfig": { "Values": ["/a*"] } },
        ])
    );
    let response = json!({ "StatusCode": "418", "MessageBody": "tea", "ContentType": "text/plain" });
    assert_eq!(rule["Actions"][0]["FixedResponseConfig"], response);
    let rules = elb.ok("DescribeRules", json!({ "ListenerArn": listener }));
    let priorities: Vec<&Value> = rules["Rules"].as_array().unwrap().iter().map(|rule| &rule["Priority"]).collect();
    assert_eq!(priorities, ["7", "default"]);
    assert_eq!(rules["Rules"][1]["Actions"], json!([forward]));
}

/// Trap 8: ARNs end in 16 hexadecimal digits, and everything has attributes.
#[test]
fn trap_8_arns_have_their_tails_and_attributes_their_defaults() {
    let elb = Elb::new();
    let (balancer, group) = (elb.load_balancer("shop"), elb.target_group("web"));
    let listener = elb.listener(&balancer, 5000, &elb.forward(&group));
    for (arn, start) in
        [(&balancer, "loadbalancer/app/shop/"), (&group, "targetgroup/web/"), (&listener, "listener/app/shop/")]
    {
        let (_, tail) = arn.rsplit_once('/').unwrap();
        assert!(arn.contains(start) && tail.len() == 16 && tail.bytes().all(|byte| byte.is_ascii_hexdigit()), "{arn}");
    }
    let attributes = elb.ok("DescribeTargetGroupAttributes", json!({ "TargetGroupArn": group }));
    assert_eq!(attributes["Attributes"].as_array().unwrap().len(), 14);
    let delay = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "30" }]);
    let changed = elb.ok("ModifyTargetGroupAttributes", json!({ "TargetGroupArn": group, "Attributes": delay }));
    assert!(changed["Attributes"].as_array().unwrap().contains(&delay[0]));
    let idle = json!([{ "Key": "idle_timeout.timeout_seconds", "Value": "4001" }]);
    let input = json!({ "LoadBalancerArn": balancer, "Attributes": idle });
    assert!(elb.error("ModifyLoadBalancerAttributes", input).starts_with("ValidationError"));
    let sticky = json!([{ "Key": "stickiness.enabled", "Value": "true" }]);
    let input = json!({ "TargetGroupArn": group, "Attributes": sticky });
    assert!(elb.error("ModifyTargetGroupAttributes", input).contains("stickiness.enabled=true"));
}

/// Trap 10: what is in use cannot be deleted; names and settings are compared on re-creation.
#[test]
fn trap_10_groups_in_use_stay_and_recreation_compares_settings() {
    let elb = Elb::new();
    let (balancer, group) = (elb.load_balancer("shop"), elb.target_group("web"));
    let listener = elb.listener(&balancer, 5000, &elb.forward(&group));
    assert_eq!(elb.load_balancer("shop"), balancer);
    assert_eq!(elb.target_group("web"), group);
    assert_eq!(elb.listener(&balancer, 5000, &elb.forward(&group)), listener);
    assert_eq!(
        elb.error("CreateLoadBalancer", json!({ "Name": "shop", "Subnets": SUBNETS, "Scheme": "internal" })),
        "DuplicateLoadBalancerName: A load balancer with the same name 'shop' exists, but with different settings"
    );
    let other = json!({ "Name": "web", "Protocol": "HTTP", "Port": 81, "VpcId": VPC });
    assert_eq!(
        elb.error("CreateTargetGroup", other),
        "DuplicateTargetGroupName: A target group with the same name 'web' exists, but with different settings"
    );
    let second = elb.target_group("second");
    let input = json!({
        "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 5000, "DefaultActions": [elb.forward(&second)],
    });
    assert!(elb.error("CreateListener", input).starts_with("DuplicateListener"));
    assert_eq!(
        elb.error("DeleteTargetGroup", json!({ "TargetGroupArn": group })),
        format!("ResourceInUse: Target group '{group}' is currently in use by a listener or a rule")
    );
    let input = json!({
        "LoadBalancerArn": elb.load_balancer("other"), "Protocol": "HTTP", "Port": 5000,
        "DefaultActions": [elb.forward(&group)],
    });
    assert!(elb.error("CreateListener", input).starts_with("TargetGroupAssociationLimit"));
    elb.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": balancer }));
    elb.ok("DeleteTargetGroup", json!({ "TargetGroupArn": group }));
    elb.ok("DeleteTargetGroup", json!({ "TargetGroupArn": group }));
    elb.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": balancer }));
    assert_eq!(
        elb.error("DeleteListener", json!({ "ListenerArn": listener })),
        "ListenerNotFound: One or more listeners not found"
    );
}

#[test]
fn one_missing_name_fails_the_whole_call() {
    let elb = Elb::new();
    elb.load_balancer("shop");
    assert_eq!(
        elb.error("DescribeLoadBalancers", json!({ "Names": ["shop", "none"] })),
        "LoadBalancerNotFound: One or more load balancers not found"
    );
    assert_eq!(
        elb.error("DescribeTargetGroups", json!({ "Names": ["none"] })),
        "TargetGroupNotFound: One or more target groups not found"
    );
}

#[test]
fn pages_cover_everything_once_even_while_items_come_and_go() {
    let elb = Elb::new();
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        elb.target_group(name);
    }
    let (mut marker, mut seen) = (Value::Null, Vec::new());
    loop {
        let mut input = json!({ "PageSize": 2 });
        if marker.is_string() {
            input["Marker"] = marker;
        }
        let page = elb.ok("DescribeTargetGroups", input);
        let groups = page["TargetGroups"].as_array().unwrap().iter();
        seen.extend(groups.map(|group| group["TargetGroupName"].as_str().unwrap().to_owned()));
        marker = page["NextMarker"].clone();
        if marker.is_null() {
            break;
        }
        // The item that the marker names may be gone by the time of the next page.
        let groups = elb.ok("DescribeTargetGroups", json!({ "Names": [seen.last()] }));
        elb.ok("DeleteTargetGroup", json!({ "TargetGroupArn": groups["TargetGroups"][0]["TargetGroupArn"] }));
    }
    assert_eq!(seen, names);
}

#[test]
fn tags_merge_by_key_and_one_bad_arn_fails_the_call() {
    let elb = Elb::new();
    let group = elb.target_group("web");
    elb.ok("AddTags", json!({ "ResourceArns": [group], "Tags": [{ "Key": "a", "Value": "1" }, { "Key": "b" }] }));
    elb.ok("AddTags", json!({ "ResourceArns": [group], "Tags": [{ "Key": "a", "Value": "2" }] }));
    elb.ok("RemoveTags", json!({ "ResourceArns": [group], "TagKeys": ["b", "never"] }));
    let tags = elb.ok("DescribeTags", json!({ "ResourceArns": [group] }));
    assert_eq!(tags["TagDescriptions"][0]["Tags"], json!([{ "Key": "a", "Value": "2" }]));
    let absent = group.replace("/web/", "/gone/");
    assert!(elb.error("DescribeTags", json!({ "ResourceArns": [group, absent] })).starts_with("TargetGroupNotFound"));
}

#[test]
fn rules_have_unique_priorities_that_can_be_swapped() {
    let elb = Elb::new();
    let (balancer, group) = (elb.load_balancer("shop"), elb.target_group("web"));
    let listener = elb.listener(&balancer, 5000, &elb.forward(&group));
    let create = |priority: u32| {
        json!({
            "ListenerArn": listener, "Priority": priority, "Actions": [elb.forward(&group)],
            "Conditions": [{ "Field": "path-pattern", "Values": [format!("/{priority}")] }],
        })
    };
    let rules = [1, 2].map(|priority| elb.ok("CreateRule", create(priority))["Rules"][0]["RuleArn"].clone());
    assert_eq!(elb.error("CreateRule", create(2)), "PriorityInUse: Priority '2' is currently in use");
    let swap = json!([{ "RuleArn": rules[0], "Priority": 2 }, { "RuleArn": rules[1], "Priority": 1 }]);
    elb.ok("SetRulePriorities", json!({ "RulePriorities": swap }));
    let shown = elb.ok("DescribeRules", json!({ "ListenerArn": listener }));
    assert_eq!(shown["Rules"][0]["RuleArn"], rules[1]);
    let default = &shown["Rules"][2]["RuleArn"];
    assert!(elb.error("DeleteRule", json!({ "RuleArn": default })).starts_with("OperationNotPermitted"));
}

/// Trap 15: what is not implemented or wrong is an error that names it.
#[test]
fn trap_15_limits_are_said_loudly() {
    let elb = Elb::new();
    let balancer = elb.load_balancer("shop");
    let group = elb.target_group("web");
    let cases = [
        ("DescribeAccountLimits", json!({}), "NotImplemented", "DescribeAccountLimits"),
        (
            "CreateListener",
            json!({ "LoadBalancerArn": balancer, "Protocol": "HTTPS", "Port": 443, "DefaultActions": [elb.forward(&group)] }),
            "NotImplemented",
            "HTTPS",
        ),
        (
            "CreateLoadBalancer",
            json!({ "Name": "n", "Type": "network", "Subnets": SUBNETS }),
            "NotImplemented",
            "network",
        ),
        (
            "CreateLoadBalancer",
            json!({ "Name": "n", "IpamPools": {}, "Subnets": SUBNETS }),
            "NotImplemented",
            "IpamPools",
        ),
        (
            "CreateLoadBalancer",
            json!({ "Name": "n", "Subnets": ["subnet-a", "subnet-b"] }),
            "SubnetNotFound",
            "subnet-a",
        ),
        ("CreateLoadBalancer", json!({ "Name": "n", "Subnets": [SUBNETS[0]] }), "ValidationError", "two subnets"),
        ("CreateLoadBalancer", json!({ "Name": "-n", "Subnets": SUBNETS }), "ValidationError", "hyphen"),
        (
            "SetSecurityGroups",
            json!({ "LoadBalancerArn": balancer, "SecurityGroups": ["sg-1"] }),
            "InvalidSecurityGroup",
            "sg-1",
        ),
        (
            "RegisterTargets",
            json!({ "TargetGroupArn": elb.ip_target_group("ips"), "Targets": [{ "Id": "127.0.0.1" }] }),
            "ValidationError",
            "The IP address '127.0.0.1' is not allowed",
        ),
    ];
    for (operation, input, code, part) in cases {
        let error = elb.error(operation, input);
        assert!(error.starts_with(code) && error.contains(part), "{operation}: {error}");
    }
}
