// The program: words in, exit code out. Everything else is a verb's.
#include "cli/exit_code.h"
#include "cli/io.h"
#include "cli/run.h"

int main(int argc, char** argv) {
  using namespace ginnel::cli;
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  ProcessIo io;
  const int code = run(words_of(argc > 0 ? argv[0] : "ginnel", std::move(words)), io);
  if (const ginnel::Status written = io.finish(); !written) {
    io.err("ginnel: {}", written.error().message);
    return code == kOk ? kFailed : code;
  }
  return code;
}
