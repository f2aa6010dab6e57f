// Owns the keys of `edgecase top`: what bytes of a terminal mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace edgecase::cli {

enum class TopKey : unsigned char { quit, next, previous, sort, pause };

/// Keeps the beginning of a sequence until its rest comes.
class TopKeys {
  public:
    std::vector<TopKey> read(std::string_view bytes);

  private:
    std::string waiting_;
};

}  // namespace edgecase::cli
