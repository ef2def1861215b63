#!/usr/bin/env bash
# iptables-legacy filters where nf_tables does not show it: the server says that there is such a
# filter and how to look at it, at its start and in `server status`.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "without such a filter nothing is said"
server_topology
start_server
refute grep -q iptables-legacy "$dir/server.log"
[[ $(of_server '.findings[].code') != *firewall-unseen* ]]
stop "$server"

step "with one it is named"
in_ns server iptables-legacy -P FORWARD DROP
in_ns server ip6tables-legacy -P FORWARD DROP
start_server
grep -q 'iptables-legacy -S and ip6tables-legacy -S' "$dir/server.log"
[[ $(of_server '.findings[].code') == *firewall-unseen* ]]
stop "$server"
[[ $(in_ns server iptables-legacy -S FORWARD) == '-P FORWARD DROP' ]]
