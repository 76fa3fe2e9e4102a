//! The OpenStack front with the stock `openstack` client, openstacksdk and real guests. Needs root.

// Tests start in the order of their names, and the longest has to start first.
mod a_servers_life;
mod administration;
mod application_credentials;
mod catalog;
mod errors;
mod flavors;
mod fronts;
mod identity;
mod image_sharing;
mod images;
mod key_pairs;
mod networks;
mod openapi;
mod operator;
mod permissions;
mod quotas;
mod same_verdict;
mod sdk;
mod security_groups;
mod server_actions;
