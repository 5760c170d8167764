//! What tasks cost: dated list prices, and others from a file.

use std::path::Path;

use interstella_autoscaling::simulate::Totals;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The prices that come with the program.
const LISTED: &str = include_str!("prices.json");
/// CPU units of a virtual CPU.
const UNITS: f64 = 1024.0;
/// MiB of a GiB, by which memory is billed.
const MIB: f64 = 1024.0;
/// New connections a second that a load balancer's capacity unit covers (AWS: Elastic Load Balancing pricing).
const CONNECTIONS_OF_A_UNIT: f64 = 25.0;

/// Prices, with where and when they hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prices {
    /// Year and month.
    pub date: String,
    /// AWS region.
    pub region: String,
    /// Such as `USD`.
    pub currency: String,
    /// Where they were read.
    pub source: String,
    /// A virtual CPU for an hour.
    pub vcpu_hour: f64,
    /// A GiB of memory for an hour.
    pub gb_hour: f64,
    /// A load balancer for an hour.
    pub load_balancer_hour: f64,
    /// A load balancer's capacity unit for an hour.
    pub capacity_unit_hour: f64,
}

/// How large a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskSize {
    /// CPU units: 1024 are a virtual CPU.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
}

/// What a simulated time costs, in the prices' currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// The tasks, from their start.
    pub tasks: f64,
    /// The load balancer, if there is one: its hours, and as many capacity units as new connections for each order
    /// need.
    pub load_balancer: f64,
}

impl Cost {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.tasks + self.load_balancer
    }
}

impl Prices {
    /// The prices in the file at `path`, or those that come with the program.
    ///
    /// # Errors
    /// If the file cannot be read or is not like the program's.
    pub fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Self::parse("the program's own prices", LISTED) };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::because(format!("{name} cannot be read"), &error))?;
        Self::parse(&name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        let prices: Self = serde_json::from_str(text).map_err(|error| {
            Failure::because(format!("{name}: these are no prices"), &error)
                .remedy(format!("write a file like this one:\n{LISTED}"))
        })?;
        let Self { vcpu_hour, gb_hour, load_balancer_hour, capacity_unit_hour, .. } = prices;
        if [vcpu_hour, gb_hour, load_balancer_hour, capacity_unit_hour].iter().all(|price| *price >= 0.0) {
            Ok(prices)
        } else {
            Err(Failure::new(format!("{name}: a price is below zero")).remedy("give prices from 0"))
        }
    }

    /// What tasks of a size cost over so many hours of simulated time, and the load balancer before them.
    pub fn cost(&self, totals: &Totals, size: TaskSize, hours: f64, has_load_balancer: bool) -> Cost {
        let task_hour = f64::from(size.cpu) / UNITS * self.vcpu_hour + f64::from(size.memory) / MIB * self.gb_hour;
        let unit_hours = totals.orders as f64 / (CONNECTIONS_OF_A_UNIT * 3_600.0);
        let load_balancer = self.load_balancer_hour * hours + self.capacity_unit_hour * unit_hours;
        Cost {
            tasks: task_hour * totals.task_hours,
            load_balancer: if has_load_balancer { load_balancer } else { 0.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_costs_its_cpu_and_memory_and_the_load_balancer_its_hours() {
        let prices = Prices::read(None).unwrap();
        let totals = Totals {
            orders: 90_000,
            done: 90_000,
            unfinished: 0,
            late: 0,
            median_seconds: None,
            p99_seconds: None,
            longest_seconds: None,
            most_tasks: 1,
            utilisation_percent: None,
            task_hours: 100.0,
        };
        let cost = prices.cost(&totals, TaskSize { cpu: 256, memory: 512 }, 10.0, true);
        assert!((cost.tasks - (1.012 + 0.222_25)).abs() < 1e-9, "{cost:?}");
        assert!((cost.load_balancer - (0.225 + 0.008)).abs() < 1e-9, "{cost:?}");
        assert_eq!(prices.cost(&totals, TaskSize { cpu: 256, memory: 512 }, 10.0, false).load_balancer, 0.0);
    }

    #[test]
    fn what_is_no_list_of_prices_is_refused_with_an_example() {
        let told = Prices::parse("p.json", "{}").unwrap_err().to_string();
        assert!(told.contains("p.json: these are no prices") && told.contains("vcpuHour"), "{told}");
        let negative = LISTED.replace("0.04048", "-1");
        assert!(Prices::parse("p.json", &negative).unwrap_err().to_string().contains("below zero"));
    }
}
