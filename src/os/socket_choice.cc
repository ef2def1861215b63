#include "os/socket_choice.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>

namespace ginnel::os {

// The kernel runs it on the datagram's payload. A number that no socket has makes it use the hash.
bool choose_sockets(int fd, const SocketChoice& choice, std::uint32_t count) {
  constexpr std::uint8_t kToHash = 5;  // How far the last statement is from the first test.
  std::array<sock_filter, 9> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, choice.at, 0, kToHash + 1),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, choice.first, 0, kToHash - 1),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, choice.at),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, choice.shift),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
      BPF_STMT(BPF_RET | BPF_A, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
  }};
  const sock_fprog described{.len = program.size(), .filter = program.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &described, sizeof described) == 0;
}

}  // namespace ginnel::os
