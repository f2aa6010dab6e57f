// Owns the access log formats: by name, by a server's own format string, by its configuration, or
// by looking at lines.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "logs/reader.hpp"

namespace edgecase::logs {

/// One way to make readers, so that each file of a set has its own.
class AccessFormat {
  public:
    virtual ~AccessFormat() = default;
    virtual std::string_view name() const = 0;
    virtual std::unique_ptr<AccessReader> reader() const = 0;
    /// False: servers that write the time of a request's start and such that write that of its end
    /// have this format (Apache and nginx: combined).
    virtual bool moment_is_known() const { return true; }
};
using AccessFormatPtr = std::shared_ptr<const AccessFormat>;  // shared: files of one set

/// `text`: a name of access_format_names(); an nginx `log_format` string (it has a `$name`), also
/// with the name and the quotes as in the configuration; an Apache LogFormat string (it has a
/// `%x`); `json:time=ts,ray=headers.cf-ray,...` for JSON lines. Errors: one sentence.
std::expected<AccessFormatPtr, std::string> access_format(std::string_view text);

/// Every log_format of an nginx configuration, every LogFormat (and CustomLog with a format of its
/// own) of an Apache one. Errors: one sentence, if there is none.
std::expected<std::vector<AccessFormatPtr>, std::string> formats_of_configuration(
    std::string_view text);

std::span<const std::string_view> access_format_names();

/// The format that the lines are in: of `also` and all named ones, the one that reads the most of
/// them and says the most. Null: none reads half of them. Lines as for readers.
AccessFormatPtr recognise_access(std::span<const std::string_view> lines,
                                 std::span<const AccessFormatPtr> also = {});

}  // namespace edgecase::logs
