//! CBOR of the protocol rpc-v2-cbor, from and to values. A moment is CBOR's tag 1, and in a `Value` seconds since the epoch.

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::model::{Kind, Model};

/// Levels of lists and maps in each other. Deeper than any shape, and bounds the recursion below.
const MAX_DEPTH: usize = 24;

/// Reads one item that fills `bytes`; the error says what is wrong. No bytes are an empty map.
pub fn read(bytes: &[u8]) -> Result<Value, String> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut decoder = Decoder::new(bytes);
    let value = item(&mut decoder, MAX_DEPTH)?;
    if decoder.position() == bytes.len() { Ok(value) } else { Err("more data than one item".to_owned()) }
}

fn item(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, String> {
    if depth == 0 {
        return Err(format!("more than {MAX_DEPTH} levels"));
    }
    match decoder.datatype().map_err(text)? {
        Type::Map | Type::MapIndef => map(decoder, depth),
        Type::Array | Type::ArrayIndef => list(decoder, depth),
        Type::String | Type::StringIndef => decoder.string().map(Value::String).map_err(text),
        Type::Bytes | Type::BytesIndef => {
            decoder.blob().map(|blob| Value::String(STANDARD.encode(blob.as_ref()))).map_err(text)
        }
        Type::Bool => decoder.boolean().map(Value::Bool).map_err(text),
        Type::Null | Type::Undefined => decoder.skip().map(|()| Value::Null).map_err(text),
        Type::F16 | Type::F32 | Type::F64 => number(decoder.double().map_err(text)?),
        Type::Tag => number(decoder.timestamp().map_err(text)?.as_secs_f64()),
        _ => decoder.long().map(Value::from).map_err(text),
    }
}

fn map(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, String> {
    let mut left = decoder.map().map_err(text)?;
    let mut object = Map::new();
    while more(decoder, &mut left)? {
        let name = decoder.string().map_err(text)?;
        object.insert(name, item(decoder, depth - 1)?);
    }
    Ok(Value::Object(object))
}

fn list(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, String> {
    let mut left = decoder.list().map_err(text)?;
    let mut elements = Vec::new();
    while more(decoder, &mut left)? {
        elements.push(item(decoder, depth - 1)?);
    }
    Ok(Value::Array(elements))
}

/// Whether another element follows: by count, or until the mark that ends an item of unknown length.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, String> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if decoder.datatype().map_err(text)? == Type::Break => decoder.skip().map(|()| false).map_err(text),
        None => Ok(true),
    }
}

fn number(number: f64) -> Result<Value, String> {
    Number::from_f64(number).map(Value::Number).ok_or_else(|| format!("{number} is not a number here"))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where `map_err` hands the error over")]
fn text(error: DeserializeError) -> String {
    error.to_string()
}

/// Writes `value`, which fits the shape called `shape`.
pub fn write(model: &Model, shape: &str, value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    put(&mut encoder, model, shape, value);
    encoder.into_writer()
}

/// Writes a map of texts, which is what an error is.
pub fn write_texts(texts: &[(&str, &str)]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(texts.len());
    for (name, text) in texts {
        encoder.str(name).str(text);
    }
    encoder.into_writer()
}

fn put(encoder: &mut Encoder, model: &Model, shape: &str, value: &Value) {
    match (&model.shape(shape).kind, value) {
        (Kind::Structure { members, .. }, Value::Object(object)) => {
            let known: Vec<_> =
                object.iter().filter_map(|(name, value)| Some((name, &members.get(name)?.shape, value))).collect();
            encoder.map(known.len());
            for (name, shape, value) in known {
                encoder.str(name);
                put(encoder, model, shape, value);
            }
        }
        (Kind::Map { value: reference, .. }, Value::Object(object)) => {
            encoder.map(object.len());
            for (name, value) in object {
                encoder.str(name);
                put(encoder, model, &reference.shape, value);
            }
        }
        (Kind::List { member }, Value::Array(elements)) => {
            encoder.array(elements.len());
            for value in elements {
                put(encoder, model, &member.shape, value);
            }
        }
        (kind, value) => scalar(encoder, kind, value),
    }
}

/// Whatever does not fit is written as null; the answer was checked against the model before, so nothing is.
fn scalar(encoder: &mut Encoder, kind: &Kind, value: &Value) {
    match (kind, value) {
        (Kind::Blob, Value::String(base64)) => encoder.blob_bytes(&STANDARD.decode(base64).unwrap_or_default()),
        (_, Value::String(text)) => encoder.str(text),
        (_, Value::Bool(truth)) => encoder.boolean(*truth),
        (Kind::Timestamp, Value::Number(seconds)) => {
            encoder.timestamp(&DateTime::from_secs_f64(seconds.as_f64().unwrap_or_default()))
        }
        (Kind::Integer | Kind::Long, Value::Number(number)) => encoder.long(number.as_i64().unwrap_or_default()),
        (_, Value::Number(number)) => encoder.double(number.as_f64().unwrap_or_default()),
        _ => encoder.null(),
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call::Service;

    #[test]
    fn what_is_written_is_read() {
        let value = json!({
            "MetricDataResults": [{"Id": "a", "Timestamps": [1_800_000_000.25], "Values": [1.0, -2.5], "StatusCode": "Complete"}],
        });
        let bytes = write(Model::of(Service::CloudWatch), "GetMetricDataOutput", &value);
        assert!(hex::encode(&bytes).contains("c1fb41dad27480"), "a moment has tag 1: {}", hex::encode(&bytes));
        assert_eq!(read(&bytes), Ok(value));
    }

    #[test]
    fn items_of_unknown_length_and_integers() {
        // {_ "a": [_ 1, -2], "b": (_ "x", "y"), "c": null, "d": 1(1800000000)}
        let bytes = hex::decode("bf61619f0121ff61627f61786179ff6163f66164c11a6b49d200ff").unwrap();
        assert_eq!(read(&bytes), Ok(json!({"a": [1, -2], "b": "xy", "c": null, "d": 1_800_000_000.0})));
        assert_eq!(read(&[]), Ok(json!({})));
    }

    #[test]
    fn what_is_broken_or_too_deep_is_refused() {
        for bytes in [vec![0xa1], vec![0x81; 100_000], vec![0x9f; 100_000], vec![0xa0, 0xa0], vec![0xfb, 0x7f, 0xf8]] {
            assert!(read(&bytes).is_err(), "{:?}", &bytes[..bytes.len().min(4)]);
        }
        assert!(read(&hex::decode("fb7ff8000000000000").unwrap()).unwrap_err().contains("NaN"));
    }
}
