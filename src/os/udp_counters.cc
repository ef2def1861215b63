#include "os/udp_counters.h"

#include <errno.h>

#include <utility>

namespace ginnel::os {

std::string_view name_of(UdpCount count) {
  switch (count) {
    case UdpCount::Receives:
      return "udp_receives";
    case UdpCount::MessagesReceived:
      return "udp_messages_received";
    case UdpCount::DatagramsReceived:
      return "udp_datagrams_received";
    case UdpCount::BytesReceived:
      return "udp_bytes_received";
    case UdpCount::Sends:
      return "udp_sends";
    case UdpCount::MessagesSent:
      return "udp_messages_sent";
    case UdpCount::DatagramsSent:
      return "udp_datagrams_sent";
    case UdpCount::BytesSent:
      return "udp_bytes_sent";
    case UdpCount::JoinedSendsRefused:
      return "udp_joined_sends_refused";
    case UdpCount::SourcesGone:
      return "udp_sources_gone";
    case UdpCount::ReceiveTruncated:
      return "udp_receive_truncated";
    case UdpCount::ReceiveTooMany:
      return "udp_receive_too_many";
    case UdpCount::ReceiveFailed:
      return "udp_receive_failed";
    case UdpCount::SendBufferFull:
      return "udp_send_buffer_full";
    case UdpCount::SendNoMemory:
      return "udp_send_no_memory";
    case UdpCount::SendTooLarge:
      return "udp_send_too_large";
    case UdpCount::SendForbidden:
      return "udp_send_forbidden";
    case UdpCount::SendUnreachable:
      return "udp_send_unreachable";
    case UdpCount::SendWrongFamily:
      return "udp_send_wrong_family";
    case UdpCount::SendRefused:
      return "udp_send_refused";
    case UdpCount::kCount:
      break;
  }
  std::unreachable();
}

UdpCount send_drop_of(int error) {
  switch (error) {
    case EAGAIN:
      return UdpCount::SendBufferFull;
    case ENOBUFS:
    case ENOMEM:
      return UdpCount::SendNoMemory;
    case EMSGSIZE:
      return UdpCount::SendTooLarge;
    case EPERM:
    case EACCES:
      return UdpCount::SendForbidden;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case ENODEV:
    case ENXIO:
      return UdpCount::SendUnreachable;
    case EAFNOSUPPORT:
      return UdpCount::SendWrongFamily;
    default:
      return UdpCount::SendRefused;
  }
}

}  // namespace ginnel::os
