// Owns the process that is killed while it answers.
#pragma once

#include <string_view>

#include "lab/socket.hpp"

namespace edgecase::lab {

/// Forks; the child alone owns `socket`, sends `bytes`, waits until they are acknowledged and kills
/// itself with SIGKILL. Returns when it is dead.
/// Source: measured (lab_test.cpp): the kernel closes a killed process's socket with FIN, or with
/// RST when received bytes were left unread (RFC 2525 2.17).
void send_and_die(Socket socket, std::string_view bytes);

}  // namespace edgecase::lab
