#include "admin/dashboard.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <vector>

#include "admin/embedded.hpp"

namespace edgecase::admin {
namespace {

struct Type {
    std::string_view ending;
    std::string_view type;
};
constexpr std::array kTypes{Type{".html", "text/html; charset=utf-8"},
                            Type{".js", "text/javascript; charset=utf-8"},
                            Type{".css", "text/css; charset=utf-8"},
                            Type{".svg", "image/svg+xml"},
                            Type{".png", "image/png"},
                            Type{".json", "application/json"},
                            Type{".txt", "text/plain; charset=utf-8"}};

constexpr std::string_view kNotBuilt =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Edgecase</title>"
    "<h1>The dashboard is not part of this build</h1><p>It was built without Node.js. The API is "
    "there all the same: <a href=\"/openapi.json\">/openapi.json</a>.</p></html>\n";

std::string_view type_of(std::string_view name) {
    for (const Type& one : kTypes) {
        if (name.ends_with(one.ending)) return one.type;
    }
    return "application/octet-stream";
}

const EmbeddedFile* find(std::string_view name) {
    const auto files = embedded_files();
    const auto found = std::ranges::find(files, name, &EmbeddedFile::name);
    return found == files.end() ? nullptr : &*found;
}

/// Errors: empty.
std::string gzipped(std::string_view content) {
    z_stream stream{};
    constexpr int kGzip = 16;
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, 9,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return {};
    }
    std::string out(deflateBound(&stream, content.size()), '\0');
    std::string in(content);  // zlib wants it writable, and does not write
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    out.resize(done ? stream.total_out : 0);
    deflateEnd(&stream);
    return out;
}

/// Compressed once, when first asked for.
const std::string& gzipped_file(const EmbeddedFile& file) {
    static std::once_flag once;
    static std::vector<std::string> all;
    std::call_once(once, [] {
        for (const EmbeddedFile& one : embedded_files()) all.push_back(gzipped(one.content));
    });
    return all[static_cast<size_t>(&file - embedded_files().data())];
}

}  // namespace

Response dashboard_file(const Request& request) {
    if (request.method != "GET" && request.method != "HEAD") {
        return Response::error(405, "only GET is served here");
    }
    const EmbeddedFile* file = find(std::string_view(request.path).substr(1));
    // A path without a dot is a place in the dashboard, and its script finds it.
    const bool is_place = !request.path.contains('.');
    if (file == nullptr && is_place) file = find("index.html");
    if (file == nullptr && is_place) {
        return {.type = "text/html; charset=utf-8", .body = std::string(kNotBuilt)};
    }
    if (file == nullptr) return Response::error(404, "there is no " + request.path);
    Response response{.type = std::string(type_of(file->name)), .body = ""};
    response.fields.emplace_back("Vary", "Accept-Encoding");
    if (request.gzip && !gzipped_file(*file).empty()) {
        response.body = gzipped_file(*file);
        response.fields.emplace_back("Content-Encoding", "gzip");
    } else {
        response.body = file->content;
    }
    return response;
}

std::string_view openapi() {
    return kOpenApi;
}

}  // namespace edgecase::admin
