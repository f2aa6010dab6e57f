#include "probe/examine.hpp"

#include "net/signal.hpp"
#include "net/task_set.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

net::Task<void> beside(net::Task<void> task, bool& over, net::Signal& ended) {
    co_await std::move(task);
    over = true;
    ended.notify_all();
}

}  // namespace

net::Task<void> examine(Session& session) {
    session.tell("name");
    co_await probe_name(session);
    session.tell("tcp");
    co_await probe_tcp(session);
    session.tell("tls");
    co_await probe_tls(session);
    session.tell("request");
    co_await probe_strictness(session);
    // It waits most of the time, so the others go on meanwhile.
    bool over = false;
    net::Signal ended(session.loop());
    net::TaskSet waiting;
    waiting.spawn(beside(probe_keep_alive(session), over, ended));
    session.tell("reuse");
    co_await probe_reuse(session);
    session.tell("http2 isolation");
    co_await probe_http2_isolation(session);
    session.tell("intermittence");
    co_await probe_intermittence(session);
    session.tell("compression");
    co_await probe_coding(session);
    session.tell("header size");
    co_await probe_header_size(session);
    session.tell("health endpoint");
    co_await probe_health(session);
    session.tell("keep-alive");
    // NOLINTNEXTLINE(bugprone-infinite-loop): the other task changes it
    while (!over) co_await ended.wait(base::Deadline::never());
}

void conclude(Session& session) {
    report_header_size(session);
    report_timeouts(session);
    report_restarts(session);
    report_hints(session);
    recognise_server(session);
}

}  // namespace edgecase::probe
