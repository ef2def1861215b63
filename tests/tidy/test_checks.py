"""Every check must be able to fail: each rule is shown a small tree that breaks it, and one that
does not."""
import contextlib
import io
import pathlib
import tempfile
import unittest

import check_layers
import check_sizes

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


if __name__ == "__main__":
    unittest.main()
