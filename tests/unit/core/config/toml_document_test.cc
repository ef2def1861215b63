#include "core/config/toml_document.h"

#include <gtest/gtest.h>

#include <random>

namespace ginnel::config {
namespace {

TomlDocument document(std::string_view text) {
  auto parsed = TomlDocument::parse("server.toml", std::string(text));
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return std::move(*parsed);
}

TEST(TomlDocument, KnowsWhereItsValuesAre) {
  const std::string text =
      "\xef\xbb\xbf# top\r\n"
      "name = \"\xc3\xa9t\xc3\xa9\" # behind two-byte letters\r\n"
      "list = [ \"\xc3\xa9\", \"b\",\r\n  7 ]\r\n"
      "\r\n"
      "[server]\r\n"
      "\tmtu\t=\t0x578 # hex\r\n"
      "when = 2026-11-21\r\n";
  const TomlDocument parsed = document(text);
  const auto written = [&](const TomlNode& node) {
    return text.substr(node.begin, node.end - node.begin);
  };

  const TomlNode& root = parsed.root();
  EXPECT_EQ(written(root.find("name")->value), "\"\xc3\xa9t\xc3\xa9\"");
  const TomlNode& list = root.find("list")->value;
  EXPECT_EQ(written(list), "[ \"\xc3\xa9\", \"b\",\r\n  7 ]");
  ASSERT_EQ(list.items.size(), 3u);
  EXPECT_EQ(written(list.items[1]), "\"b\"");
  EXPECT_EQ(list.items[2].line, 4u);
  EXPECT_EQ(list.items[2].integer, 7);
  const TomlNode& server = root.find("server")->value;
  EXPECT_EQ(written(server), "[server]");
  EXPECT_EQ(server.find("mtu")->value.integer, 1400);
  EXPECT_EQ(server.find("mtu")->line, 7u);
  EXPECT_EQ(server.find("when")->value.text, "2026-11-21");
}

TEST(TomlDocument, RefusesWhatIsNotTomlWithFileAndLine) {
  struct Row {
    std::string_view text;
    std::string_view starts_with;
  };
  const Row rows[] = {
      {"a = 1\na = 2\n", "server.toml:2: not valid TOML: "},
      {"a = \n", "server.toml:1: not valid TOML: "},
      {"\n\n[server\n", "server.toml:3: not valid TOML: "},
      {"a = \"unclosed\n", "server.toml:1: not valid TOML: "},
      {"private_key = abcdef\n", "server.toml:1: not valid TOML: "},
      {"a = 1 b = 2\n", "server.toml:1: not valid TOML: "},
      {"[a]\n[a]\n", "server.toml:2: not valid TOML: "},
      {"a = \"\xff\"\n", "server.toml:1: not valid TOML: "},
      {"[ %]\n", "server.toml:1: not valid TOML: "},
      {"\xc3\xa9 = 1\n", "server.toml:1: not valid TOML: "},
      {"[p\xd2\x86]\n", "server.toml:1: not valid TOML: "},
      {"a = \xe1\x9a\x81\n", "server.toml:1: not valid TOML: "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto parsed = TomlDocument::parse("server.toml", std::string(row.text));
    ASSERT_FALSE(parsed);
    EXPECT_TRUE(parsed.error().message.starts_with(row.starts_with)) << parsed.error().message;
    EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
    EXPECT_EQ(parsed.error().message.find("abcdef"), std::string::npos);
  }
}

TEST(TomlDocument, BoundsSizeAndDepth) {
  const auto accepts = [](std::string text) {
    return TomlDocument::parse("f", std::move(text)).has_value();
  };
  const auto dotted = [](std::size_t dots) {
    std::string key = "a";
    for (std::size_t i = 0; i < dots; ++i) key += ".a";
    return key + " = 1\n";
  };
  EXPECT_TRUE(accepts(dotted(kMaxTomlDots - 1)));
  EXPECT_TRUE(accepts(dotted(kMaxTomlDots)));
  EXPECT_FALSE(accepts(dotted(kMaxTomlDots + 1)));
  EXPECT_TRUE(accepts("# " + std::string(1000, '.') + "\n"));
  EXPECT_FALSE(accepts("a = " + std::string(10'000, '[') + std::string(10'000, ']')));
  EXPECT_TRUE(accepts("#" + std::string(kMaxTomlBytes - 1, 'x')));
  EXPECT_FALSE(accepts("#" + std::string(kMaxTomlBytes, 'x')));
}

constexpr std::string_view kServer =
    "# my server\n"
    "\n"
    "[server]  # the machine in the cellar\n"
    "  listen_addr = \"0.0.0.0:51820\" # both families\n"
    "  dns = [\n"
    "    \"9.9.9.9\", # quad9\n"
    "  ]\n"
    "\n"
    "# Anna's phone\n"
    "[[peer]]\n"
    "public_key = \"one\"\n"
    "\n"
    "# Bob\n"
    "[[peer]]\n"
    "public_key = \"two\"\n";

struct EditRow {
  const char* name;
  std::string_view before;
  Status (*edit)(TomlDocument&);
  std::string_view after;
};

const EditRow kEdits[] = {
    {"replaces a value and keeps its comment", "a = 1 # one\nb = 2\n",
     [](TomlDocument& d) { return d.set({""}, "a", std::int64_t{7}); }, "a = 7 # one\nb = 2\n"},
    {"replaces a value of several lines", "a = [\n 1,\n] # x\nb = 2",
     [](TomlDocument& d) { return d.set({""}, "a", std::vector<std::string>{"p", "q"}); },
     "a = [\"p\", \"q\"] # x\nb = 2"},
    {"changes the type of a value", "a = 'x'\n",
     [](TomlDocument& d) { return d.set({""}, "a", true); }, "a = true\n"},
    {"leaves an equal value alone", "a   =   0x10 # hex\n",
     [](TomlDocument& d) { return d.set({""}, "a", std::int64_t{16}); }, "a   =   0x10 # hex\n"},
    {"leaves an equal list alone", "a = [ 'x' , 'y' ]\n",
     [](TomlDocument& d) { return d.set({""}, "a", std::vector<std::string>{"x", "y"}); },
     "a = [ 'x' , 'y' ]\n"},
    {"adds a key behind the last of its table, indented alike",
     "[t]\n\ta = 1 # x\n\n# u\n[u]\nb = 2\n",
     [](TomlDocument& d) { return d.set({"t"}, "c", std::string("x\"\\\n")); },
     "[t]\n\ta = 1 # x\n\tc = \"x\\\"\\\\\\u000A\"\n\n# u\n[u]\nb = 2\n"},
    {"adds a key to an empty table", "[t] # x\n[u]\n",
     [](TomlDocument& d) { return d.set({"t"}, "a", false); }, "[t] # x\na = false\n[u]\n"},
    {"adds a key to a table without a line end", "[t]",
     [](TomlDocument& d) { return d.set({"t"}, "a", false); }, "[t]\na = false\n"},
    {"adds a root key above the first table's comments", "# top\n\n# t\n[t]\n",
     [](TomlDocument& d) { return d.set({""}, "a", false); }, "# top\n\na = false\n\n# t\n[t]\n"},
    {"adds a root key to a file of comments", "# top",
     [](TomlDocument& d) { return d.set({""}, "a", false); }, "# top\na = false\n"},
    {"adds a root key to an empty file", "",
     [](TomlDocument& d) { return d.set({""}, "a", false); }, "a = false\n"},
    {"adds a root key behind the last one, not into a table", "a = 1\nx.y = 2\n\n[t]\nb = 1\n",
     [](TomlDocument& d) { return d.set({""}, "c", false); },
     "a = 1\nx.y = 2\nc = false\n\n[t]\nb = 1\n"},
    {"makes a table that is not there", "a = 1",
     [](TomlDocument& d) { return d.set({"t"}, "b", false); }, "a = 1\n\n[t]\nb = false\n"},
    {"writes the line ends of the file", "[t]\r\na = 1\r\n",
     [](TomlDocument& d) { return d.set({"t"}, "b", false); }, "[t]\r\na = 1\r\nb = false\r\n"},
    {"sets a key of the second of a list", "[[p]]\na = 1\n[[p]]\na = 1\n",
     [](TomlDocument& d) { return d.set({"p", 1}, "a", std::int64_t{2}); },
     "[[p]]\na = 1\n[[p]]\na = 2\n"},
    {"replaces an inline table's place in a header table", "[t]\na = {x = 1}\n",
     [](TomlDocument& d) { return d.set({"t"}, "a", std::int64_t{2}); }, "[t]\na = 2\n"},
    {"removes a key with its comment", "a = 1\nb = [\n1, # x\n2] # y\nc = 3\n",
     [](TomlDocument& d) { return d.remove({""}, "b"); }, "a = 1\nc = 3\n"},
    {"removes the last key of a file without a line end", "a = 1\nb = 2",
     [](TomlDocument& d) { return d.remove({""}, "b"); }, "a = 1\n"},
    {"removes nothing when the key is absent", "[t]\na = 1\n",
     [](TomlDocument& d) { return d.remove({"t"}, "b"); }, "[t]\na = 1\n"},
    {"removes nothing when the table is absent", "a = 1\n",
     [](TomlDocument& d) { return d.remove({"t"}, "a"); }, "a = 1\n"},
    {"removes a list's table with the comment above it", kServer,
     [](TomlDocument& d) { return d.remove_table({"peer", 0}); },
     "# my server\n\n[server]  # the machine in the cellar\n"
     "  listen_addr = \"0.0.0.0:51820\" # both families\n  dns = [\n    \"9.9.9.9\", # quad9\n  ]\n"
     "\n# Bob\n[[peer]]\npublic_key = \"two\"\n"},
    {"removes the last table with the blank line above it", kServer,
     [](TomlDocument& d) { return d.remove_table({"peer", 1}); },
     "# my server\n\n[server]  # the machine in the cellar\n"
     "  listen_addr = \"0.0.0.0:51820\" # both families\n  dns = [\n    \"9.9.9.9\", # quad9\n  ]\n"
     "\n# Anna's phone\n[[peer]]\npublic_key = \"one\"\n"},
    {"removes a table with the tables inside it", "[[p]]\na = 1\n[p.q]\nb = 1\n[[p]]\na = 2\n",
     [](TomlDocument& d) { return d.remove_table({"p", 0}); }, "[[p]]\na = 2\n"},
    {"takes no string for a comment", "a = \"\"\"\n# \"\"\"\n[t]\n",
     [](TomlDocument& d) { return d.remove_table({"t"}); }, "a = \"\"\"\n# \"\"\"\n"},
    {"appends a table", "a = 1",
     [](TomlDocument& d) {
       return d.append_table("p", {{"k", std::string("v")}, {"n", std::int64_t{1}}});
     },
     "a = 1\n\n[[p]]\nk = \"v\"\nn = 1\n"},
    {"appends a table to an empty file", "",
     [](TomlDocument& d) { return d.append_table("p", {}); }, "[[p]]\n"},
};

TEST(TomlDocument, EditsBySplicing) {
  for (const EditRow& row : kEdits) {
    SCOPED_TRACE(row.name);
    TomlDocument edited = document(row.before);
    const Status done = row.edit(edited);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(edited.text(), row.after);
    // The tree is that of the text, so that edits can follow one another.
    const TomlDocument reread = document(row.after);
    EXPECT_EQ(edited.root().members.size(), reread.root().members.size());
  }
}

TEST(TomlDocument, RefusesEditsThatWouldNotBeWholeLines) {
  const EditRow rows[] = {
      {"a key in braces", "t = {a = 1}\n", [](TomlDocument& d) { return d.set({"t"}, "b", true); },
       "server.toml:1: t: cannot be edited in this form; write it as [t] with one key a line"},
      {"a dotted table", "\nt.a = 1\n", [](TomlDocument& d) { return d.set({"t"}, "b", true); },
       "server.toml:2: t: cannot be edited in this form; write it as [t] with one key a line"},
      {"an implied table", "[t.u]\na = 1\n",
       [](TomlDocument& d) { return d.set({"t"}, "b", true); },
       "server.toml:1: t: cannot be edited in this form; write it as [t] with one key a line"},
      {"removal out of braces", "t = {a = 1}\n",
       [](TomlDocument& d) { return d.remove({"t"}, "a"); },
       "server.toml:1: t: cannot be edited in this form; write it as [t] with one key a line"},
      {"a table where a value goes", "[t]\n[t.u]\na = 1\n",
       [](TomlDocument& d) { return d.set({"t"}, "u", true); },
       "server.toml:2: u: is a table; a single value belongs here"},
      {"a list of tables where a value goes", "[[t]]\n",
       [](TomlDocument& d) { return d.remove({""}, "t"); },
       "server.toml:1: t: is a table; a single value belongs here"},
      {"an item that is not there", "[[t]]\n",
       [](TomlDocument& d) { return d.set({"t", 1}, "a", true); },
       "server.toml: t: there is no such table to edit"},
      {"removal of a table in braces", "t = {a = 1}\n",
       [](TomlDocument& d) { return d.remove_table({"t"}); },
       "server.toml:1: t: has no header of its own; take it out of the file by hand"},
  };
  for (const EditRow& row : rows) {
    SCOPED_TRACE(row.name);
    TomlDocument edited = document(row.before);
    const Status done = row.edit(edited);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, row.after);
    EXPECT_EQ(edited.text(), row.before);
  }
}

TEST(TomlDocument, RefusesAnEditThatLeavesAFileThatCannotBeRead) {
  TomlDocument edited = document("a = 1\n");
  EXPECT_FALSE(edited.set({""}, "b", std::string("\xff")));
  EXPECT_FALSE(edited.append_table("a", {}));
  EXPECT_EQ(edited.text(), "a = 1\n");
}

// Any value survives being written and read, whatever stood there before and around it.
TEST(TomlDocument, ReadsBackEveryValueThatItWrites) {
  std::mt19937 random(1);
  const auto text = [&] {
    static const std::string_view kPieces[] = {
        "a", " ", "\"",  "\\", "#", "\n", "\t", "'", "\x7f", "\xc3\xa9", "\xf0\x9f\x98\x80",
        "=", "]", "\x01"};
    std::string result;
    for (std::size_t i = random() % 8; i > 0; --i) result += kPieces[random() % 14];
    return result;
  };
  TomlDocument edited = document(kServer);
  for (int round = 0; round < 500; ++round) {
    const std::string key = "k" + std::to_string(random() % 5);
    const TomlPlace places[] = {{""}, {"server"}, {"peer", 0}, {"peer", 1}, {"other"}};
    const TomlPlace place = places[random() % 5];
    const std::string written = text();
    ASSERT_TRUE(edited.set(place, key, written));
    const TomlNode* table = &edited.root();
    if (!place.table.empty()) table = &table->find(place.table)->value;
    if (place.table == "peer") table = &table->items[place.index];
    ASSERT_EQ(table->find(key)->value.text, written);
    if (random() % 3 == 0) {
      ASSERT_TRUE(edited.remove(place, key));
    }
  }
  // Taking out all that was put in leaves the file as it was.
  for (int k = 0; k < 5; ++k) {
    for (const TomlPlace place :
         {TomlPlace{"server"}, TomlPlace{"peer", 0}, TomlPlace{"peer", 1}, TomlPlace{"other"}}) {
      ASSERT_TRUE(edited.remove(place, "k" + std::to_string(k)));
    }
  }
  ASSERT_TRUE(edited.remove_table({"other"}));
  for (int k = 0; k < 5; ++k) ASSERT_TRUE(edited.remove({""}, "k" + std::to_string(k)));
  std::string text_left = edited.text();
  const std::size_t blank = text_left.find("\n\n\n");  // Set the root keys off the first table.
  if (blank != std::string::npos) text_left.erase(blank, 1);
  EXPECT_EQ(text_left, kServer);
}

TEST(TomlDocument, TakesOutAnAppendedTableWithoutATrace) {
  for (const std::string_view before : {std::string_view("a = 1\n"), kServer}) {
    TomlDocument edited = document(before);
    const TomlMember* list = edited.root().find("peer");
    const std::size_t index = list ? list->value.items.size() : 0;
    ASSERT_TRUE(edited.append_table("peer", {{"name", std::string("carol")}}));
    EXPECT_NE(edited.text(), before);
    ASSERT_TRUE(edited.remove_table({"peer", index}));
    EXPECT_EQ(edited.text(), before);
  }
}

}  // namespace
}  // namespace ginnel::config
