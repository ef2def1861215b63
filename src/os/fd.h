// A file descriptor that closes itself. Every descriptor in the program is held by one of these.
#pragma once

#include <utility>

namespace ginnel::os {

class Fd {
 public:
  Fd() = default;
  // Takes ownership. A negative number means none.
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }

  // Borrows the number; it is valid as long as this object is.
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  explicit operator bool() const { return is_open(); }

  // Gives the number away, for a library that closes it itself.
  int release() { return std::exchange(number_, -1); }
  // Keeps errno, so that an error that leads here can still be reported.
  void close();

 private:
  int number_ = -1;
};

}  // namespace ginnel::os
