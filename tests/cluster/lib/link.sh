# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# link.sh: the one way between the host and a full sandbox: a veth pair, and a route to the node's address only.
# Source it after common.sh. Sandbox number ID has 10.99.ID.0/24 on its bridge; the host is .254 there, the node .1.

CLUSTER_NET=${OSTLER_CLUSTER_NET:-10.99}

node_ip() { printf '%s.%s.1' "$CLUSTER_NET" "$1"; }
link_name() { printf 'ostler-%s' "$1"; }

# link_up ID PID: from the host's network namespace into that of PID, where it is called link0.
link_up() {
  local name node
  name=$(link_name "$1") node=$(node_ip "$1")
  ip link add "$name" type veth peer name link0 netns "$2"
  echo 1 >"/proc/sys/net/ipv6/conf/$name/disable_ipv6" 2>/dev/null || true
  # Answer ARP for this address only, not for the host's others: the sandbox shall find no way out.
  echo 1 >"/proc/sys/net/ipv4/conf/$name/arp_ignore"
  # An address with a peer brings a route to that peer and to nothing else.
  ip addr add "$CLUSTER_NET.$1.254" peer "$node/32" dev "$name"
  ip link set "$name" up
}

# link_down ID: the kernel removes it with the sandbox, but somewhat later.
link_down() { ip link del "$(link_name "$1")" 2>/dev/null || true; }
