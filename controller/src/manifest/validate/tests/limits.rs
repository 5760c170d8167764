//! Limits that depend on something else than the value: the launch type, the partition, other names.

use serde_json::json;

use super::{fargate, good, problems};

#[test]
fn names_of_log_streams() {
    let with = |app: usize, container: usize, prefix: Option<usize>| {
        let mut value = good();
        let name = "a".repeat(container);
        value["metadata"]["name"] = json!("a".repeat(app));
        value["spec"]["loadBalancer"]["name"] = json!("b");
        value["spec"]["loadBalancer"]["targetGroup"] = json!({ "name": "b" });
        value["spec"]["loadBalancer"]["container"]["name"] = json!(name);
        value["spec"]["taskDefinition"]["family"] = json!("f");
        let task = &mut value["spec"]["taskDefinition"]["containers"][0];
        task["name"] = json!(name);
        task["logs"] = json!({ "group": "g" });
        if let Some(length) = prefix {
            task["logs"]["streamPrefix"] = json!("a".repeat(length));
        }
        problems(value)
    };
    assert_eq!(with(3, 3, Some(475)), Vec::<String>::new());
    assert!(with(3, 3, Some(476))[0].contains("more than 512 characters"));
    assert_eq!(with(223, 255, None), Vec::<String>::new());
    assert!(with(224, 255, None)[0].contains("more than 512 characters"));
}

#[test]
fn sizes_that_fargate_offers() {
    for (cpu, good, bad) in [
        (256, vec![512, 1024, 2048], vec![256, 1536, 3072]),
        (512, vec![1024, 4096], vec![512, 5120]),
        (4096, vec![8192, 9216, 30720], vec![7168, 31744]),
        (8192, vec![16384, 20480, 61440], vec![17408, 65536]),
        (16384, vec![32768, 40960, 122_880], vec![36864, 131_072]),
        (32768, vec![61440, 122_880, 249_856], vec![65536, 131_072, 262_144]),
    ] {
        let with = |memory: &i32| {
            let mut value = fargate();
            let task = &mut value["spec"]["taskDefinition"];
            (task["cpu"], task["memory"]) = (json!(cpu), json!(memory));
            problems(value)
        };
        for memory in &good {
            assert_eq!(with(memory), Vec::<String>::new(), "{cpu} with {memory}");
        }
        for memory in &bad {
            assert_eq!(with(memory).len(), 1, "{cpu} with {memory}");
        }
    }
}

#[test]
fn every_partition_has_its_regions() {
    let in_region = |region: &str, partition: &str| {
        let mut value = good();
        value["metadata"]["region"] = json!(region);
        let text = value
            .to_string()
            .replace("arn:aws:", &format!("arn:{partition}:"))
            .replace(":us-west-2:", &format!(":{region}:"));
        problems(serde_json::from_str(&text).unwrap())
    };
    for (region, partition) in [
        ("eusc-de-east-1", "aws-eusc"),
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eu-north-1", "aws"),
    ] {
        assert_eq!(in_region(region, partition), Vec::<String>::new(), "{region}");
    }
    assert!(in_region("eusc-de-east-1", "aws")[0].contains("not the ARN of a topic"));
}
