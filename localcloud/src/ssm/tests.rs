use serde_json::{Value, json};

use super::get;
use crate::call::{Answer, Call, Service};
use crate::clock::CloudTime;
use crate::images::Images;
use crate::world::World;

fn world() -> World {
    let mut world = World::new("us-west-2", 1, Images::default());
    for (name, kind, value) in [("/interstella/apiKey", "SecureString", "s3cret"), ("plain", "String", "v")] {
        call(&mut world, "PutParameter", json!({"Name": name, "Type": kind, "Value": value})).unwrap();
    }
    world
}

fn call(world: &mut World, operation: &str, input: Value) -> Answer {
    world.call(&Call { now: CloudTime::from_millis(1500) }, Service::Ssm, operation, input)
}

fn code(answer: Answer) -> String {
    answer.unwrap_err().code
}

#[test]
fn found_by_name_and_arn_and_not_shown_in_debug() {
    let world = world();
    let arns = ["parameter/interstella/apiKey", "parameter/plain"].map(|resource| world.arn("ssm", resource));
    for (arn, name) in arns.iter().zip(["/interstella/apiKey", "plain"]) {
        assert_eq!(get(&world, arn), get(&world, name));
        assert!(get(&world, arn).is_some());
    }
    assert_eq!(get(&world, "apiKey"), None);
    assert!(!format!("{world:?}").contains("s3cret"));
}

#[test]
fn secrets_are_decrypted_on_demand() {
    let mut world = world();
    let request = json!({"Name": "/interstella/apiKey"});
    let hidden = call(&mut world, "GetParameter", request).unwrap();
    assert_ne!(hidden["Parameter"]["Value"], "s3cret");
    let names = json!({"Names": ["plain", "none", "/interstella/apiKey"], "WithDecryption": true});
    let several = call(&mut world, "GetParameters", names).unwrap();
    assert_eq!(several["Parameters"][0]["Value"], "v");
    assert_eq!(several["Parameters"][1]["Value"], "s3cret");
    assert_eq!(several["InvalidParameters"], json!(["none"]));
}

#[test]
fn a_parameter_is_overwritten_only_on_demand() {
    let mut world = world();
    let mut put = json!({"Name": "plain", "Value": "w"});
    assert_eq!(code(call(&mut world, "PutParameter", put.clone())), "ParameterAlreadyExists");
    put["Overwrite"] = json!(true);
    assert_eq!(call(&mut world, "PutParameter", put).unwrap()["Version"], 2);
    let parameter = get(&world, "plain").unwrap();
    assert_eq!((parameter.kind.as_str(), parameter.value.as_str()), ("String", "w"));
    assert_eq!(code(call(&mut world, "PutParameter", json!({"Name": "new", "Value": "w"}))), "ValidationException");
}

#[test]
fn deleted_and_described() {
    let mut world = world();
    let filter = json!({"ParameterFilters": [{"Key": "Name", "Option": "BeginsWith", "Values": ["/inter"]}]});
    let described = call(&mut world, "DescribeParameters", filter).unwrap();
    assert_eq!(described["Parameters"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        call(&mut world, "DescribeParameters", json!({"MaxResults": 1})).unwrap()["NextToken"],
        "/interstella/apiKey"
    );
    let deleted = call(&mut world, "DeleteParameters", json!({"Names": ["plain", "none"]})).unwrap();
    assert_eq!(deleted, json!({"DeletedParameters": ["plain"], "InvalidParameters": ["none"]}));
    assert_eq!(code(call(&mut world, "DeleteParameter", json!({"Name": "plain"}))), "ParameterNotFound");
    assert_eq!(code(call(&mut world, "GetParameter", json!({"Name": "plain"}))), "ParameterNotFound");
}
