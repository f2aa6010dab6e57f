// Owns the numbers that the writing and the reading of binary records share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgecase::record::binary {

constexpr uint8_t kVersion = 1;
constexpr size_t kSizeBytes = 4;
constexpr size_t kFrameHeadBytes = kSizeBytes + 1 + 8;  // size, version, ray
constexpr size_t kMaximumVarintBytes = 10;

enum Flag : uint8_t { kAborted = 1, kHeaderWarning = 2 };
enum AttemptFlag : uint8_t { kReused = 1, kRetried = 2 };
// The tail is written only if something is in it: a plain HTTP/1.1 success ends before it.
enum TailFlag : uint8_t {
    kClientTls = 1,
    kSni = 2,
    kSniIsHost = 4,
    kAttemptTails = 8,
    kTrace = 16
};
enum AttemptTailFlag : uint8_t {
    kTls = 1,
    kTlsResumed = 2,
    kHttp2 = 4,
    kDowngraded = 8,
    kStream = 16,
    kOutrun = 32,
    kDnsStale = 64,
};
enum class EndpointKind : uint8_t { none = 0, v4 = 4, v6 = 6 };

}  // namespace edgecase::record::binary
