// The control socket of a running gateway, and its metrics over TCP. A thread of its own answers,
// by what the loop last published; what is to be done goes to the loop and back.
#pragma once

#include <map>
#include <memory>
#include <thread>

#include "base/mutex.h"
#include "http/router.h"
#include "http/server.h"
#include "os/clock.h"
#include "os/event_fd.h"
#include "service/gateway/views.h"
#include "service/killswitch/kill_switch.h"

namespace ginnel::gateway {

// In the directory of this network namespace: there is one gateway in each.
std::string control_socket(const std::string& directory);

class Control {
  struct Key {};  // Only create() makes one.

 public:
  // A look at the lock takes its turn there, which others need too.
  static constexpr Duration kLockInterval = std::chrono::seconds(5);

  struct Options {
    std::string directory{};                 // Of this network namespace.
    std::optional<net::Endpoint> metrics{};  // Where they are told over TCP as well.
    bool kill_switch = true;
    killswitch::Places places{};
  };
  // Listens, and answers nobody yet.
  static Result<std::unique_ptr<Control>> create(Options options);
  Control(Key, Options options, os::EventFd asked);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // From then on it answers. REQUIRES: publish() was called.
  void start();

  // For the loop. Without the lock: that is looked at when somebody asks.
  void publish(GatewayView view);
  int fd() const { return asked_.fd(); }  // Readable when somebody asks for a reload.
  // The number of the reload that is wanted, once. Later ones have higher numbers.
  std::optional<std::uint64_t> take_request();
  // What became of it, and of all that were asked for before it.
  void finish(std::uint64_t number, Result<ChangeView> outcome);

 private:
  void add_routes();
  http::Response handle(const http::Request& request);
  GatewayView view();
  std::optional<LockView> look_at_lock();

  const Options options_;
  os::Clock clock_;
  os::EventFd asked_;
  http::Router control_;
  http::Router metrics_;
  http::Server http_;
  std::jthread thread_;

  // Of the answering thread alone.
  std::optional<LockView> lock_;
  MonoTime lock_expires_{};

  Mutex mutex_;
  GatewayView view_ GUARDED_BY(mutex_);
  std::uint64_t requested_ GUARDED_BY(mutex_) = 0;
  std::uint64_t taken_ GUARDED_BY(mutex_) = 0;
  std::uint64_t finished_ GUARDED_BY(mutex_) = 0;
  Result<ChangeView> outcome_ GUARDED_BY(mutex_);  // Of the one that finished last.
};

}  // namespace ginnel::gateway
