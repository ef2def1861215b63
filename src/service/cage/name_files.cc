#include "service/cage/name_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ginnel::cage {
namespace {

constexpr std::string_view kBlank = " \t";

bool asks_nobody_outside(std::string_view service) {
  constexpr std::string_view kServices[] = {"files", "myhostname", "dns"};
  return std::ranges::find(kServices, service) != std::end(kServices);
}

// What to do after a service, "[NOTFOUND=return]", belongs to the one before it.
std::string hosts_line(std::string_view services) {
  std::string line = "hosts:";
  bool kept = false;
  bool has_dns = false;
  for (;;) {
    services.remove_prefix(std::min(services.find_first_not_of(kBlank), services.size()));
    if (services.empty()) break;
    const bool is_action = services.front() == '[';
    std::size_t end = is_action ? services.find(']') : services.find_first_of(" \t[");
    if (is_action && end != std::string_view::npos) ++end;
    const std::string_view word = services.substr(0, end);
    services.remove_prefix(word.size());
    if (!is_action) kept = asks_nobody_outside(word);
    if (!kept) continue;
    line.append(" ").append(word);
    has_dns = has_dns || word == "dns";
  }
  return has_dns ? line : line + " dns";
}

}  // namespace

std::string resolv_conf_text(const NameServers& names) {
  std::string text = "# Of ginnel cage: names are looked up through the tunnel.\n";
  for (std::size_t i = 0; i < std::min(names.servers.size(), kMaxNameServers); ++i) {
    text += fmt::format("nameserver {}\n", names.servers[i]);
  }
  if (!names.search_domains.empty()) text += "search";
  for (const std::string& domain : names.search_domains) text += " " + domain;
  if (!names.search_domains.empty()) text += "\n";
  return text;
}

std::string nsswitch_text(std::string_view of_host) {
  constexpr std::string_view kHosts = "hosts:";
  std::string text;
  bool has_hosts = false;
  for (const std::string_view line : split(of_host, '\n')) {
    const std::string_view content = trim(line.substr(0, line.find('#')));
    if (content.starts_with(kHosts)) {
      text += hosts_line(content.substr(kHosts.size()));
      has_hosts = true;
    } else {
      text += line;
    }
    text += "\n";
  }
  while (text.ends_with("\n\n")) text.pop_back();
  if (!has_hosts) text += "hosts: files dns\n";
  return text;
}

}  // namespace ginnel::cage
