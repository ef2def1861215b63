// A TOML file and edits of it: the file, then for each edit what to do, where, and with what. An
// edit that succeeds is there when the text is read again, and one that fails changes nothing.
#include "base/check.h"
#include "core/config/toml_document.h"
#include "fuzz/fuzz_input.h"

namespace ginnel::config {
namespace {

constexpr int kMaxEdits = 8;
// What a program names in an edit is bare, without quotes; the file may hold anything.
constexpr std::string_view kTables[] = {"", "server", "peer", "a"};
constexpr std::string_view kKeys[] = {"listen", "name", "x", "b", "a-key", "1"};

void check_error(const Error& error) {
  CHECK(error.message.starts_with("fuzz.toml"));
  CHECK(error.message.find('\n') == std::string::npos);
  CHECK(error.message.size() < 1000);
}

void check_node(const TomlNode& node, std::size_t size) {
  CHECK(node.begin <= node.end && node.end <= size);
  for (const TomlNode& item : node.items) check_node(item, size);
  for (const TomlMember& member : node.members) {
    CHECK(member.begin <= size);
    CHECK(node.find(member.key) != nullptr);
    check_node(member.value, size);
  }
}

TomlValue read_value(FuzzInput& in) {
  switch (in.byte() % 4) {
    case 0:
      return in.byte() % 2 != 0;
    case 1:
      return std::int64_t{in.number()} * 1'000'003 - 7;
    case 2:
      return std::string(in.text(in.byte() % 32));
    default:
      return std::vector<std::string>{std::string(in.text(in.byte() % 8)), "two"};
  }
}

Status edit(TomlDocument& document, FuzzInput& in) {
  const std::uint8_t what = in.byte();
  const TomlPlace place{kTables[in.byte() % std::size(kTables)], in.byte() % 3u};
  const std::string_view key = kKeys[in.byte() % std::size(kKeys)];
  switch (what % 4) {
    case 0:
      return document.set(place, key, read_value(in));
    case 1:
      return document.remove(place, key);
    case 2:
      return document.append_table(place.table.empty() ? "peer" : place.table,
                                   {{std::string(key), read_value(in)}});
    default:
      return document.remove_table(place);
  }
}

void parse_and_edit(ByteView input) {
  FuzzInput in(input);
  const std::string text(in.text_block());
  auto document = TomlDocument::parse("fuzz.toml", text);
  if (!document) return check_error(document.error());
  CHECK(document->text() == text);
  check_node(document->root(), text.size());
  for (int i = 0; i < kMaxEdits && !in.empty(); ++i) {
    const std::string before = document->text();
    const Status edited = edit(*document, in);
    if (!edited) {
      CHECK(document->text() == before);
      CHECK(edited.error().message.find('\n') == std::string::npos);
    }
    check_node(document->root(), document->text().size());
    CHECK(TomlDocument::parse("fuzz.toml", document->text()).has_value());
  }
}

}  // namespace
}  // namespace ginnel::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::config::parse_and_edit({data, size});
  return 0;
}
