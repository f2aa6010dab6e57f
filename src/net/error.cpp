#include "net/error.hpp"

#include <cerrno>
#include <cstring>

namespace edgecase::net {
namespace {

ErrorKind kind_of(int number) {
    switch (number) {
        case ECONNREFUSED:
            return ErrorKind::refused;
        case ECONNRESET:
            return ErrorKind::reset;
        case EPIPE:
            return ErrorKind::broken_pipe;
        case ETIMEDOUT:
            return ErrorKind::timed_out;
        case ENETUNREACH:
            return ErrorKind::net_unreachable;
        case EHOSTUNREACH:
            return ErrorKind::host_unreachable;
        case ENOPROTOOPT:
        case EPROTO:
            return ErrorKind::protocol_unreachable;
        case EACCES:
        case EPERM:
            return ErrorKind::prohibited;
        case EADDRNOTAVAIL:
            return ErrorKind::address_unavailable;
        case EADDRINUSE:
            return ErrorKind::address_in_use;
        case EMFILE:
        case ENFILE:
            return ErrorKind::too_many_descriptors;
        case ENOBUFS:
        case ENOMEM:
            return ErrorKind::no_buffers;
        case EINVAL:
            return ErrorKind::invalid;
        default:
            return ErrorKind::other;
    }
}

}  // namespace

Error Error::of(int number) {
    return {kind_of(number), number};
}

std::string Error::name() const {
    if (number == 0) return std::string(to_string(kind));
    const char* const name = strerrorname_np(number);
    return name != nullptr ? name : "errno " + std::to_string(number);
}

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::deadline:
            return "deadline";
        case ErrorKind::cancelled:
            return "cancelled";
        case ErrorKind::refused:
            return "refused";
        case ErrorKind::reset:
            return "reset";
        case ErrorKind::broken_pipe:
            return "broken_pipe";
        case ErrorKind::timed_out:
            return "timed_out";
        case ErrorKind::net_unreachable:
            return "net_unreachable";
        case ErrorKind::host_unreachable:
            return "host_unreachable";
        case ErrorKind::protocol_unreachable:
            return "protocol_unreachable";
        case ErrorKind::prohibited:
            return "prohibited";
        case ErrorKind::address_unavailable:
            return "address_unavailable";
        case ErrorKind::address_in_use:
            return "address_in_use";
        case ErrorKind::too_many_descriptors:
            return "too_many_descriptors";
        case ErrorKind::no_buffers:
            return "no_buffers";
        case ErrorKind::layer:
            return "layer";
        case ErrorKind::invalid:
            return "invalid";
        case ErrorKind::other:
            return "other";
    }
    return "other";
}

}  // namespace edgecase::net
