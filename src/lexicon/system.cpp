#include "lexicon/vocabularies.hpp"

namespace edgecase::lexicon {
namespace {

constexpr Word kErrno[] = {
    {"ECONNREFUSED", "111: RST, or ICMP port-unreachable, for a SYN.",
     "connect.refused connect.rejected", "A closed port and a firewall that rejects.",
     "Is the process up and bound to that address (`ss -ltnp`)?"},
    {"ETIMEDOUT", "110: the kernel gave up: no SYN-ACK, or what was sent was never acknowledged.",
     "connect.timeout request.not_acked resp.connection_lost",
     "A dropped SYN, a full accept queue, a connection lost later."},
    {"EHOSTUNREACH", "113: ICMP host-unreachable or prohibited, or nobody answers ARP.",
     "connect.host_unreachable connect.prohibited connect.no_neighbour",
     "The ICMP code and who sent it."},
    {"ENETUNREACH", "101: ICMP net-unreachable, or this machine has no route.",
     "connect.unroutable connect.no_route"},
    {"ENOPROTOOPT", "92: ICMP protocol-unreachable.", "connect.protocol_unreachable"},
    {"ECONNRESET", "104: a RST came on a connection.",
     "connect.reset request.write_reset resp.empty_rst resp.reset_status resp.reset_headers "
     "reuse.stale body.short_rst tls.rst h2.connection_rst",
     "A crash, data left unread at the close, a middlebox, a reused connection that was closed."},
    {"EPIPE", "32: written to a connection that the other side had closed.",
     "request.write_closed request.write_reset reuse.stale client.abort"},
    {"ECONNABORTED", "103: the connection was aborted on this side.", "client.abort edge.internal"},
    {"EADDRNOTAVAIL", "99: no local port is left, or the source address is not this machine's.",
     "connect.local_exhausted edge.egress_unavailable"},
    {"EADDRINUSE", "98: the address and port are in use.", "connect.local_exhausted"},
    {"EMFILE", "24: this process is out of descriptors.", "connect.local_exhausted"},
    {"ENFILE", "23: the system is out of descriptors.", "connect.local_exhausted"},
    {"ENOBUFS", "105: no memory for the socket.", "connect.local_exhausted"},
    {"EACCES", "13: forbidden: SELinux, a prohibit route, or ICMPv6 prohibited.",
     "connect.local_prohibited connect.prohibited"},
    {"EPERM", "1: forbidden by a firewall rule of this machine.", "connect.local_prohibited"},
    {"EAGAIN", "11: nothing now; for a Unix socket: its backlog is full.",
     "connect.timeout connect.limit"},
    {"ENOENT", "2: the Unix socket is not there.", "connect.refused"},
    {"EINVAL", "22: from connect(): a blackhole route on this machine.", "connect.no_route"},
    {"ENOTFOUND", "Node: the name does not resolve.", "dns.nxdomain dns.nodata"},
    {"EAI_AGAIN", "The name server did not answer for now.", "dns.timeout dns.servfail"},
    {"EAI_NONAME", "The name does not resolve.", "dns.nxdomain dns.nodata"},
    {"EPROTO", "Node: TLS failed, often plain HTTP on the other side.",
     "tls.peer_plaintext tls.protocol_error"},
    {"HPE_HEADER_OVERFLOW", "Node: the head is over --max-http-header-size (431 to a client).",
     "resp.headers_too_large client.headers_too_large"},
    {"HPE_INVALID_CONSTANT", "Node: what came is no HTTP.", "resp.not_http resp.bad_status_line"},
    {"UND_ERR_SOCKET", "Node's fetch: the other side closed.",
     "resp.empty_fin resp.empty_rst reuse.stale body.short_fin"},
    {"UND_ERR_HEADERS_TIMEOUT", "Node's fetch: no response head in time.", "time.first_byte"},
    {"UND_ERR_CONNECT_TIMEOUT", "Node's fetch: no connection in time.", "connect.timeout"},
    {"UND_ERR_BODY_TIMEOUT", "Node's fetch: the body stopped.", "time.body_idle"},
};

// As strerror() has them; any case. They stand within the phrases of other vocabularies too.
constexpr Word kErrnoTexts[] = {
    {"Connection refused", "ECONNREFUSED: RST, or ICMP port-unreachable, for a SYN.",
     "connect.refused connect.rejected", "A closed port and a firewall that rejects.",
     "Is the process up and bound to that address (`ss -ltnp`)?"},
    {"Connection reset by peer", "ECONNRESET: a RST came on a connection.",
     "connect.reset request.write_reset resp.empty_rst resp.reset_status resp.reset_headers "
     "reuse.stale body.short_rst tls.rst",
     "A crash, data left unread at the close, a middlebox, a reused connection that was closed."},
    {"Broken pipe", "EPIPE: written to a connection that the other side had closed.",
     "request.write_closed request.write_reset reuse.stale client.abort"},
    {"Connection timed out",
     "ETIMEDOUT: the kernel gave up: no SYN-ACK, or what was sent was never acknowledged.",
     "connect.timeout request.not_acked resp.connection_lost",
     "A dropped SYN, a full accept queue, a connection lost later."},
    {"No route to host", "EHOSTUNREACH: ICMP unreachable or prohibited, or nobody answers ARP.",
     "connect.host_unreachable connect.prohibited connect.no_neighbour", "The ICMP code."},
    {"Network is unreachable", "ENETUNREACH: ICMP net-unreachable, or there is no route.",
     "connect.unroutable connect.no_route"},
    {"Cannot assign requested address", "EADDRNOTAVAIL: no local port is left.",
     "connect.local_exhausted edge.egress_unavailable"},
    {"Address already in use", "EADDRINUSE: the address and port are in use.",
     "connect.local_exhausted"},
    {"Too many open files", "EMFILE: the process is out of descriptors.",
     "connect.local_exhausted connect.timeout", "", "`ulimit -n`, `LimitNOFILE=` of the unit."},
    {"Name or service not known", "The name does not resolve.", "dns.nxdomain dns.nodata"},
    {"Temporary failure in name resolution", "The name server did not answer for now.",
     "dns.timeout dns.servfail"},
};

constexpr Word kAlerts[] = {
    {"close_notify", "0: an orderly end.", "tls.fin", "In a handshake: nobody says why it ends."},
    {"unexpected_message", "10: a message that may not come there.",
     "tls.alert tls.protocol_error"},
    {"bad_record_mac", "20: a record was changed, or keys differ.", "tls.alert tls.broken"},
    {"record_overflow", "22: a record is too large.", "tls.alert tls.broken"},
    {"handshake_failure", "40: nothing in common, or a client certificate was wanted.",
     "tls.no_shared_cipher tls.client_cert_required",
     "Ciphers, curves, signature algorithms, and a missing client certificate."},
    {"no_certificate", "41: SSL 3.0's word for no client certificate.", "tls.client_cert_required"},
    {"bad_certificate", "42: the certificate is broken; from an origin: ours.",
     "tls.client_cert_rejected tls.client_cert_required"},
    {"unsupported_certificate", "43: a certificate of a kind that is not taken.",
     "tls.client_cert_rejected"},
    {"certificate_revoked", "44: revoked by its issuer.", "tls.client_cert_rejected"},
    {"certificate_expired", "45: has expired; from an origin: ours.", "tls.client_cert_rejected"},
    {"certificate_unknown", "46: not accepted for another reason.", "tls.client_cert_rejected"},
    {"illegal_parameter", "47: a field does not fit the others.", "tls.alert"},
    {"unknown_ca", "48: the issuer is not known; from an origin: the issuer of ours.",
     "tls.client_cert_rejected"},
    {"access_denied", "49: the certificate is valid, and not let in.", "tls.client_cert_rejected"},
    {"decode_error", "50: a message could not be read.", "tls.alert"},
    {"decrypt_error", "51: a signature or a key exchange is wrong.", "tls.alert"},
    {"protocol_version", "70: no TLS version in common.", "tls.version"},
    {"insufficient_security", "71: the ciphers are too weak for the server.",
     "tls.no_shared_cipher"},
    {"internal_error", "80: the other side failed.", "tls.alert"},
    {"inappropriate_fallback", "86: a fallback to an older version, where none is needed.",
     "tls.alert"},
    {"user_canceled", "90: given up on purpose.", "tls.alert"},
    {"no_renegotiation", "100: no second handshake on this connection.", "tls.alert"},
    {"missing_extension", "109: an extension that must be there is not.", "tls.alert"},
    {"unsupported_extension", "110: an extension that was not offered.", "tls.alert"},
    {"unrecognized_name", "112: the server does not know the SNI name.", "tls.sni_rejected"},
    {"bad_certificate_status_response", "113: the OCSP staple is not valid.", "tls.alert"},
    {"unknown_psk_identity", "115: the session is not known.", "tls.alert"},
    {"certificate_required", "116: TLS 1.3, after the handshake: a client certificate is wanted.",
     "tls.client_cert_required", "",
     "Authenticated origin pulls are on at the origin only: `origin_client_cert`."},
    {"no_application_protocol", "120: no ALPN protocol in common.", "tls.no_alpn"},
};

constexpr std::string_view kKilled =
    "resp.empty_rst resp.empty_fin resp.reset_headers body.short_rst body.short_fin "
    "connect.refused";

constexpr Word kEnds[] = {
    {"OOM", "Out of memory: the kernel kills a process to get some back.", kKilled,
     "The memory of the machine, and the limit of a container or unit.",
     "`dmesg` for `Out of memory: Killed process`, `memory.max`, `MemoryMax=`."},
    {"OOMKilled", "Kubernetes and Docker: the kernel killed the container for its memory limit.",
     kKilled, "", "The container's limit, and what grew."},
    {"CrashLoopBackOff", "Kubernetes: the container ends again and again and is kept waiting.",
     kKilled, "", "`kubectl logs --previous`."},
    {"SIGKILL", "9: killed, usually by the kernel for memory or by a supervisor's patience.",
     kKilled, "The kernel's killer, a supervisor, and a person.", "`dmesg` for `Out of memory`."},
    {"SIGSEGV", "11: the process touched memory that is not its own.", kKilled, "",
     "A core dump (`coredumpctl`); native modules and extensions."},
    {"SIGABRT", "6: the process gave itself up: an assertion, a broken heap, a full heap of Node.",
     kKilled},
    {"SIGBUS", "7: a mapped file was cut, or memory was not aligned.", kKilled},
    {"SIGTERM", "15: asked to end: a stop, a restart, a time limit of PHP-FPM.",
     "resp.empty_fin resp.empty_rst reuse.stale connect.refused"},
};

constexpr Word kKernel[] = {
    {"Out of memory: Killed process", "The kernel killed a process, for memory was gone.", kKilled,
     "", "What grew; the memory of the machine; `OOMScoreAdjust`."},
    {"Memory cgroup out of memory: Killed process",
     "The kernel killed a process, for its container or unit had used its memory.", kKilled, "",
     "The limit of the container (`memory.max`, `MemoryMax=`)."},
    {"oom-kill:constraint=", "Which limit the kernel killed for.", kKilled},
    {"invoked oom-killer", "An allocation found no memory; a kill follows.", kKilled},
    {"segfault at", "A process touched memory that is not its own, and died.", kKilled, "",
     "The library named behind `in`; a core dump (`coredumpctl`)."},
    {"general protection fault", "A process broke a rule of the processor, and died.", kKilled},
    {"traps: ... trap invalid opcode", "A process ran an invalid instruction, and died.", kKilled},
    {"Main process exited, code=killed, status=9/KILL", "systemd saw the service killed.", kKilled},
    {"Main process exited, code=dumped", "systemd saw the service crash.", kKilled},
    {"Main process exited, code=exited", "systemd saw the service end.", kKilled},
    {"A process of this unit has been killed by the OOM killer",
     "systemd saw the kernel kill for memory.", kKilled},
    {"Scheduled restart job, restart counter is at", "systemd starts a service again.",
     "connect.refused resp.empty_fin resp.empty_rst reuse.stale"},
    {"Start request repeated too quickly", "systemd gave up restarting a service.",
     "connect.refused", "", "`systemctl status`; it stays down until it is started by hand."},
    {"TCP: request_sock_TCP: Possible SYN flooding on port",
     "The queue of half-open connections is full.", "connect.timeout", "",
     "`net.ipv4.tcp_max_syn_backlog`, `somaxconn` and the server's own backlog."},
    {"nf_conntrack: table full, dropping packet", "The firewall forgot to keep room.",
     "connect.timeout request.not_acked time.first_byte", "", "`net.netfilter.nf_conntrack_max`."},
    {"neighbour: arp_cache: neighbor table overflow", "The ARP table is full.",
     "connect.no_neighbour connect.host_unreachable"},
};

}  // namespace

std::span<const Word> errno_words() {
    return kErrno;
}
std::span<const Word> errno_texts() {
    return kErrnoTexts;
}
std::span<const Word> kernel_words() {
    return kEnds;
}
std::span<const Word> tls_alert_words() {
    return kAlerts;
}
std::span<const Word> kernel_phrases() {
    return kKernel;
}

}  // namespace edgecase::lexicon
