#include "cli/secret_file.hpp"

#include <fstream>

namespace edgecase::cli {

std::expected<std::string, std::string> read_secret_file(const std::string& path,
                                                         const std::string& what) {
    std::ifstream file(path);
    std::string secret;
    if (!file || !std::getline(file, secret)) {
        return std::unexpected("cannot read " + what + " file " + path);
    }
    if (secret.ends_with('\r')) secret.pop_back();
    return secret;
}

}  // namespace edgecase::cli
