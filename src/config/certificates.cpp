#include "config/certificates.hpp"

#include <algorithm>
#include <array>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "config/document.hpp"
#include "config/nearest.hpp"
#include "config/settings.hpp"
#include "config/values.hpp"

namespace edgecase::config {

std::expected<Certificate, DocumentError> read_certificate(const TableEntry& table,
                                                           std::string_view directory) {
    constexpr std::array<std::string_view, 2> kNames{"cert", "key"};
    Certificate certificate;
    for (const Entry& entry : table.entries) {
        if (std::ranges::find(kNames, entry.name) == kNames.end()) {
            return std::unexpected(DocumentError{
                entry.name_place,
                with_guess("unknown key " + in_ticks(entry.name) + " in [[certificate]]",
                           nearest(entry.name, kNames))});
        }
        const std::string subject = "`certificate." + entry.name + "` ";
        if (!entry.value) {
            return std::unexpected(
                DocumentError{entry.value_place, subject + "cannot be " + entry.type});
        }
        auto file = read_file_name(*entry.value, directory);
        if (!file) return std::unexpected(DocumentError{entry.value_place, subject + file.error()});
        (entry.name == "cert" ? certificate.certificate_file : certificate.key_file) =
            std::move(*file);
    }
    if (certificate.certificate_file.empty() || certificate.key_file.empty()) {
        const std::string missing = certificate.certificate_file.empty() ? "cert" : "key";
        return std::unexpected(
            DocumentError{table.place, "this [[certificate]] has no `" + missing + "`"});
    }
    return certificate;
}

}  // namespace edgecase::config
