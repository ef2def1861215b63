"""Every check must be able to fail: each rule is shown a small tree that breaks it, and one that
does not."""
import contextlib
import io
import pathlib
import tempfile
import unittest

import check_layers
import check_names
import check_orphans
import check_reading
import check_secrets
import check_sizes
import compare_verbs

ARCHITECTURE = """# Architecture
## Who may include whom
| module | may include |
| --- | --- |
| base | |
| core/wg | base |
| os | base |
| http | base |
| cli | base os |

## After
| not | a rule |
"""


def lines(count: int) -> str:
    return "  x();\n" * count


class Tree(unittest.TestCase):
    def problems(self, check, files: dict[str, str]) -> list[str]:
        """What `check` finds in a tree of these files."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in {"docs/architecture.md": ARCHITECTURE, **files}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            with contextlib.redirect_stdout(io.StringIO()):
                return check(root)

    def assert_clean(self, check, files):
        self.assertEqual(self.problems(check, files), [])

    def assert_found(self, expected: str, check, files):
        found = self.problems(check, files)
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])


class Layers(Tree):
    def clean(self, files):
        self.assert_clean(check_layers.check, files)

    def found(self, expected, files):
        self.assert_found(expected, check_layers.check, files)

    def test_allows_what_the_table_allows(self):
        self.clean({"src/cli/a.cc": '#include "os/b.h"\n#include "cli/a.h"\n#include <vector>\n'})

    def test_refuses_an_include_that_has_no_row(self):
        self.found("core/wg may not include os", {"src/core/wg/a.cc": '#include "os/b.h"\n'})

    def test_refuses_a_folder_that_is_no_module(self):
        self.found("not in any module", {"src/extra/a.cc": ""})

    def test_refuses_a_cycle(self):
        looped = ARCHITECTURE.replace("| base | |", "| base | os |")
        self.found("cycle", {"docs/architecture.md": looped})

    def test_refuses_an_unknown_name_in_a_row(self):
        self.found("which has no row", {"docs/architecture.md": ARCHITECTURE.replace("| base os |", "| bas |")})

    def test_refuses_a_document_without_the_table(self):
        self.found("no table", {"docs/architecture.md": "# Architecture\n"})

    def test_keeps_system_headers_in_os(self):
        self.clean({"src/os/a.cc": "#include <sys/socket.h>\n"})
        self.found("belong in src/os", {"src/cli/a.cc": "#include <sys/socket.h>\n"})
        self.found("belong in src/os", {"src/cli/a.cc": "#include <unistd.h>\n"})

    def test_keeps_beast_in_four_sources_of_http(self):
        beast = "#include <boost/beast/core.hpp>\n"
        self.clean({f"src/http/{n}.cc": beast for n in "abcd"})
        self.found("at most 4", {f"src/http/{n}.cc": beast for n in "abcde"})
        self.found("no header", {"src/http/a.h": beast})
        self.found("belongs in http", {"src/cli/a.cc": beast})

    def test_keeps_core_pure(self):
        self.clean({"src/core/wg/a.cc": "// printf\nint printf_like;\n"})
        self.found("core is pure", {"src/core/wg/a.cc": "#include <thread>\n"})
        self.found("core is pure", {"src/core/wg/a.cc": "auto t = std::chrono::steady_clock::now();\n"})


class Sizes(Tree):
    def clean(self, text, name="src/a.cc"):
        self.assert_clean(check_sizes.check, {name: text})

    def found(self, expected, text, name="src/a.cc"):
        self.assert_found(expected, check_sizes.check, {name: text})

    def test_measures_a_function_from_its_head_to_its_brace(self):
        self.clean("int f() {\n" + lines(68) + "}\n")
        self.found("src/a.cc:1: f has 71 lines", "int f() {\n" + lines(69) + "}\n")

    def test_sees_functions_in_classes_and_namespaces_and_templates(self):
        body = "{\n" + lines(70) + "}\n"
        for head, tail in [("namespace a::b {\nvoid f() ", "}\n"), ("class A final : public B {\n void f() const ", "};\n"),
                           ("template <class T>\nvoid f(T t) ", ""), ("A::f() : a_{1}, b_(2) ", ""),
                           ("auto f(int a = 3) -> Result<void> ", ""), ("enum E { A };\nvoid f() ", "")]:
            with self.subTest(head):
                self.found("f has", head + body + tail)

    def test_does_not_take_a_table_or_a_class_for_a_function(self):
        self.clean("const int kRows[] = {\n" + "  f(1),\n" * 90 + "};\n")
        self.clean("class A {\n" + "  int a(int);\n" * 90 + "};\n")
        self.clean("struct A : B<int(int)> {\n" + "  int a;\n" * 90 + "};\n")

    def test_counts_a_table_in_a_test_as_one_line(self):
        table = "TEST(A, B) {\n  const int rows[] = {\n" + "  1,\n" * 90 + "  };\n"
        self.clean(table + lines(67) + "}\n", "tests/unit/a_test.cc")
        self.found("TEST has 71 lines", table + lines(68) + "}\n", "tests/unit/a_test.cc")
        self.found("TEST has", table + "}\n", "src/a.cc")

    def test_is_not_confused_by_braces_in_text(self):
        self.clean('void f() {\n  g("{", \'{\', 1\'000, R"({{)"); // {\n}\n' + "int a;\n" * 90 + "void h() {}\n")

    def test_limits_files(self):
        self.clean("int a;\n" * 800)
        self.found("801 lines", "int a;\n" * 801)

    def test_lists_marked_exceptions_instead_of_failing(self):
        self.clean("// SIZE: a generated table reads best whole.\n" + "int a;\n" * 900)
        self.clean("// SIZE: one switch.\nint f() {\n" + lines(80) + "}\n")

    def test_measures_python_and_shell(self):
        self.found("f has 72", "def f():\n" + "  x()\n" * 71, "tests/a.py")
        self.found("f has 73", "f() {\n" + lines(71) + "}\n", "tests/a.sh")


class Names(Tree):
    def clean(self, text, name="src/os/a.cc"):
        self.assert_clean(check_names.check, {name: text})

    def found(self, expected, text, name="src/os/a.cc"):
        self.assert_found(expected, check_names.check, {name: text})

    def test_refuses_names_that_say_nothing(self):
        self.found("find the noun", "", "src/os/socket_utils.cc")
        self.found('"PeerManager"', "class PeerManager;\n")
        self.found('"UtilBox"', "class UtilBox;\n")
        self.found('"send_helper"', "void send_helper();\n")
        self.clean("void f(int common) { others::helper(x.utils); } // a manager\nvoid managers();\n")

    def test_refuses_comments_about_history(self):
        for word in ("FIXME", "TODO", "no longer", "Previously"):
            with self.subTest(word):
                self.found("in a comment", f"// {word} x\n")
                self.found("in a comment", f"x()  # {word} x\n", "tests/a.py")
        self.clean('// TODO(#12): x, no longer than y\nconst auto a = "FIXME";\n')

    def test_refuses_exceptions_and_raw_ownership_in_src(self):
        self.found("throw", 'void f() { throw 1; }\n')
        self.found("new", "void f() { auto* a = new A; }\n")
        self.found("delete", "void f(A* a) { delete a; }\n")
        self.clean("#include <new>\nstruct A { A(A&) = delete; };\n"
                   "auto f() { return std::unique_ptr<A>(new A(1)); }\n")
        self.clean("void f() { throw 1; auto* a = new A; }\n", "tests/unit/a_test.cc")

    def test_refuses_hidden_state(self):
        self.found("mutable static", "void f() { static int count = 0; }\n")
        self.found("mutable static", "struct A { static Clock* clock_; };\n")
        self.found("mutable static", "thread_local int depth;\n")
        self.found("mutable global", "namespace a {\nint count = 0;\n}\n")
        self.found("mutable global", "namespace {\nstd::vector<int> cache;\n}\n")
        self.clean("static int f(int);\nstatic constexpr int kA = 1;\nstatic const int b[] = {1};\n"
                   "namespace a {\nconstexpr int kC = 2;\nusing D = int;\nclass E;\nint g(int h);\n"
                   "constinit const F i{1};\nextern const F j;\n}\nclass K { int member_ = 0; };\n")

    def test_refuses_tests_that_sleep_or_skip(self):
        self.found("GTEST_SKIP", "TEST(A, B) { GTEST_SKIP(); }\n", "tests/unit/a_test.cc")
        self.found("sleep_for", "void f() { std::this_thread::sleep_for(1s); }\n", "tests/unit/a_test.cc")
        self.found("poll for a condition", "#!/bin/sh\n  sleep 1\n", "tests/netns/a.sh")
        self.clean("#!/bin/sh\nrun_daemon a b sleep 1\n", "tests/netns/a.sh")

    def test_refuses_scripts_that_cut_a_writer_off(self):
        self.found("tests/netns/a.sh:2: | grep -q", "#!/bin/bash\nnft list tables | grep -q wg\n", "tests/netns/a.sh")
        self.clean("#!/bin/bash\nnft list tables | finds wg\nsh -c 'ss | grep -q :7'\n", "tests/netns/a.sh")
        self.clean("#!/bin/bash\nin_guest '\n  ss | grep -q :7'\n", "tests/netns/kernel_a.sh")

    def test_refuses_unordered_iteration_in_core(self):
        text = "std::unordered_map<int, A<B>> peers_;\nvoid f() { for (auto& p : peers_) g(p); }\n"
        table = "class T { std::unordered_map<int, int> peers_; };\n"
        self.found("has no order", "class T { std::unordered_set<int> a_; };\nvoid f() { for (auto& p : a_) g(p); }\n",
                   "src/core/wg/a.cc")
        self.assert_found("has no order", check_names.check,
                          {"src/core/wg/a.h": table, "src/core/wg/a.cc": "void f() { for (auto& p : peers_) g(p); }\n"})
        self.clean(table + "void f() { peers_.find(1); for (auto& p : list_) g(p); }\n", "src/core/wg/a.cc")
        self.clean("class T { " + text.replace(";\nvoid", "; };\nvoid"), "src/os/a.cc")


class Orphans(Tree):
    FILES = {
        "README.md": "# A\n[a](docs/architecture.md#who-may-include-whom) [b](docs/b.md) [c](https://example.com)\n",
        "docs/b.md": "# B `c`\n[up](../README.md) [here](#b-c)\n![d](d.svg)\n```\n[not](a-link)\n```\n",
        "docs/d.svg": "",
        "src/CMakeLists.txt": "ginnel_module(os LIBS x)\n",
        "src/os/a.cc": '#include "os/a.h"\n',
        "src/os/a.h": "",
        "tests/CMakeLists.txt": "ginnel_test(unit_os unit/os LIBS x)\n",
        "tests/unit/os/a_test.cc": "",
        "tests/fuzz/CMakeLists.txt": "ginnel_fuzzer(a LIBS x)\n",
        "tests/fuzz/a_fuzz.cc": "// a.txt\n",
        "tests/fuzz/corpus/a/1": "",
        "tests/vectors/a.txt": "",
    }

    def found(self, expected, changes):
        self.assert_found(expected, check_orphans.check, {**self.FILES, **changes})

    def test_accepts_a_connected_tree(self):
        self.assert_clean(check_orphans.check, self.FILES)

    def test_refuses_sources_that_nothing_builds(self):
        self.found("src/cli/a.cc: no CMakeLists", {"src/cli/a.cc": ""})
        self.found("src/os/main.cc: no CMakeLists", {"src/os/main.cc": ""})
        self.found("unit/cli/a_test.cc: no CMakeLists", {"tests/unit/cli/a_test.cc": ""})
        self.found("b_fuzz.cc: no CMakeLists", {"tests/fuzz/b_fuzz.cc": ""})

    def test_refuses_what_nothing_uses(self):
        self.found("src/os/b.h: nothing includes it", {"src/os/b.h": ""})
        self.found("corpus/b: no fuzzer", {"tests/fuzz/corpus/b/1": ""})
        self.found("b.txt: no test names it", {"tests/vectors/b.txt": ""})
        self.found("docs/c.md: no page links to it", {"docs/c.md": ""})

    def test_refuses_links_that_lead_nowhere(self):
        self.found("leads nowhere", {"CHANGELOG.md": "[x](docs/x.md)\n"})
        self.found("no heading", {"CHANGELOG.md": "[x](docs/b.md#x)\n"})

    def test_refuses_scripts_that_cannot_run(self):
        self.found("not executable", {"tests/netns/a.sh": "#!/bin/sh\n# Shows a.\n"})


class Secrets(Tree):
    def found(self, expected, text):
        self.assert_found(expected, check_secrets.check, {"docs/a.md": text})

    def test_refuses_what_is_of_one_machine(self):
        self.found("somebody's machine", "see /ho" + "me/somebody/x\n")
        self.found("registry's host", "from deb" + ".debian.org\n")
        self.found("a credential", "-----BEGIN PRIVATE" + " KEY-----\n")
        self.found("docs/a.md: over", "x" * (1024 * 1024 + 1))
        self.assert_clean(check_secrets.check, {"docs/a.md": "x" * 1024 * 1024})
        self.assert_clean(check_secrets.check, {"docs/a.md": "/home/anna/.config\n"})


class Reading(Tree):
    PASSAGE = "Read in this order it is two files, {} lines:\n`a/b.cc` (from `go`), `a/c.cc` (`go`). So it is.\n\nEnd.\n"
    FUNCTION = "int A::go() {\n" + lines(8) + "}\n"

    def found(self, expected, said="1,000", b="", c=""):
        files = {"docs/architecture.md": self.PASSAGE.format(said), "src/a/b.cc": self.FUNCTION + b,
                 "src/a/c.cc": c or self.FUNCTION}
        if expected is None:
            self.assert_clean(check_reading.check, files)
        else:
            self.assert_found(expected, check_reading.check, files)

    def test_counts_from_a_function_on_or_that_alone(self):
        self.found(None, b=lines(980))
        self.found(None, c="int x() {\n" + lines(5000) + "}\n" + self.FUNCTION, b=lines(980))
        self.found(None, b=lines(960))
        self.found("than 979 lines", b=lines(959))
        self.found("than 1021 lines", b=lines(1001))

    def test_counts_neither_comments_nor_blank_lines(self):
        self.found(None, b=lines(980) + "  // Why.\n\n" * 90)

    def test_refuses_more_than_one_reads_in_one_sitting(self):
        self.found(None, said="1,500", b=lines(1480))
        self.found("over 1500", said="1,501", b=lines(1481))

    def test_refuses_a_document_that_names_what_is_not_there(self):
        self.found("a/c.cc is not there", said="10", c="int stay() {}\n")
        self.assert_found("does not name", check_reading.check, {"docs/architecture.md": "# Architecture\n"})


class Verbs(Tree):
    VERB = {"name": "genkey", "summary": "make a key", "page": "docs/keys.md", "flags": [{"name": "--json"}]}
    README = "<!-- verbs -->\n" + compare_verbs.table([VERB]) + "<!-- /verbs -->\n"
    PAGE = "`ginnel genkey --json`\n"

    def found(self, expected, **changes):
        files = {"README.md": self.README, "docs/keys.md": self.PAGE}
        files |= {{"readme": "README.md", "page": "docs/keys.md"}[k]: v for k, v in changes.items()}
        self.assert_found(expected, lambda root: compare_verbs.compare(root, [self.VERB]), files)

    def test_accepts_a_documented_verb(self):
        files = {"README.md": self.README, "docs/keys.md": self.PAGE}
        self.assert_clean(lambda root: compare_verbs.compare(root, [self.VERB]), files)

    def test_refuses_a_readme_that_says_otherwise(self):
        self.found("the table differs", readme=self.README.replace("make", "eat"))
        self.found("no table", readme="# A\n")

    def test_refuses_an_undocumented_flag_or_verb(self):
        self.found("does not say --json", page="`ginnel genkey --json-lines`\n")
        self.found("does not say ginnel genkey", page="--json\n")


if __name__ == "__main__":
    unittest.main()
