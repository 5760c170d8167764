//! The network that load balancers stand in: what the workshop's stack provided. There is no EC2 service to ask.

/// The one VPC.
pub(super) const VPC: &str = "vpc-0a1b2c3d4e5f60001";

/// The one security group; a load balancer without any gets it, as AWS gives the VPC's default group.
pub(super) const SECURITY_GROUP: &str = "sg-0a1b2c3d4e5f60001";

/// Subnets with the letter of their availability zone.
const SUBNETS: [(&str, char); 2] = [("subnet-0a1b2c3d4e5f60001", 'a'), ("subnet-0a1b2c3d4e5f60002", 'b')];

/// Availability zone of a subnet; `None`: there is no such subnet.
pub(super) fn zone_of(region: &str, subnet: &str) -> Option<String> {
    SUBNETS.iter().find(|(id, _)| *id == subnet).map(|(_, letter)| format!("{region}{letter}"))
}
