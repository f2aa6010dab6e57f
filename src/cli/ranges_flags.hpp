// Owns the command-line flags of `edgecase ranges`.
#pragma once

namespace CLI {
class App;
}

namespace edgecase::cli {

void add_ranges(CLI::App& app, int& status);

}  // namespace edgecase::cli
