// Owns the command-line flags of `edgecase traffic`, `top` and `tail`.
#pragma once

namespace CLI {
class App;
}

namespace edgecase::cli {

void add_terminal(CLI::App& app, int& status);

}  // namespace edgecase::cli
