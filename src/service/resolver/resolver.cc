#include "service/resolver/resolver.h"

#include "os/process.h"
#include "service/resolver/resolver_loop.h"

namespace ginnel::resolver {

Result<std::unique_ptr<Resolver>> Resolver::start(const ResolverOptions& options) {
  if (options.listen.empty() || options.listen.size() > kMaxPlaces) {
    return fail(ErrorCode::InvalidArgument, "a resolver needs 1 to 64 addresses to listen on");
  }
  auto loop = ResolverLoop::create(options);
  if (!loop) return pass(std::move(loop));
  return std::make_unique<Resolver>(Key{}, std::move(*loop));
}

Resolver::Resolver(Key, std::unique_ptr<ResolverLoop> loop)
    : loop_(std::move(loop)), thread_([this](const std::stop_token& stop) {
        os::set_thread_name("dns");
        loop_->run(stop);
      }) {}

Resolver::~Resolver() {
  thread_.request_stop();
  loop_->wake();
}

void Resolver::set_upstreams(std::vector<net::Endpoint> upstreams) {
  loop_->set_upstreams(std::move(upstreams));
}

std::uint64_t Resolver::count(dns::Count count) const { return loop_->counters().of(count); }

std::vector<std::pair<std::string, std::uint64_t>> Resolver::counters() const {
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  for (std::size_t i = 0; i < static_cast<std::size_t>(dns::Count::kCount); ++i) {
    const auto kind = static_cast<dns::Count>(i);
    if (const std::uint64_t value = count(kind)) {
      counts.emplace_back(std::string(dns::name_of(kind)), value);
    }
  }
  return counts;
}

}  // namespace ginnel::resolver
