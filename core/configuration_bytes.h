// A configuration as bytes and back: what a journal's header keeps, because configuration is an
// input like any other.
//
// Equal configurations give equal bytes, and different ones different bytes, so bytes may be
// compared instead. Little-endian, nothing between the fields:
//
//   head         u32: format (2), OMS id, capacities for working orders, finished orders, sessions,
//                price levels (the number itself, also where it is the default); rate a second,
//                rate burst; numbers of instruments, accounts, users
//   instrument   u32 id; i32 mantissa, i8 exponent of the tick; the same of the lot;
//                u8 size and bytes of the symbol
//   account      u32 id
//   user         u32 id; u8 permissions; u8 size and bytes of the name; u32 number of accounts and
//                the id of each, u32
//
// Thread: pure functions, any thread. They allocate: not for the engine thread.
#pragma once

#include <string>
#include <string_view>

#include "core/configuration.h"

namespace shmatch::core {

// `configuration` without fault (find_fault).
std::string encode_configuration(const Configuration& configuration);

// Reads what encode_configuration wrote. Empty when `out` is set, to a configuration without fault;
// else a sentence that says what is wrong with the bytes, and `out` is unchanged. The bytes are
// believed nothing: no count in them makes this allocate more than a small multiple of their size.
std::string decode_configuration(std::string_view bytes, Configuration& out);

}  // namespace shmatch::core
