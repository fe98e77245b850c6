// Binary requests as text: the API's own frames, which `encode_request` reads back into the same
// request, and sentences for people.
//
// Thread: pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"
#include "ipc/reference_data.h"

namespace shmatch::tools {

// The API's name of a request: "CancelOrder".
std::string_view request_name(core::RequestType type) noexcept;

// The payload object of a well-formed request. Amounts that the client counted in ticks or lots
// become decimals. What JSON frames cannot say at all (an OMSId of 0, a negative id, a flag without
// a name) becomes an absent key.
std::string request_json(const core::Request& request, const ReferenceData& reference);

// One line of a request log, without line feed: {"m":0,"i","n","o","t","u"}. `user` may be empty.
std::string request_frame(const core::Request& request, const ReferenceData& reference,
                          std::uint64_t number, core::TimeNs time, std::string_view user);

// "CancelOrder 42", "SendOrder Buy 2 TEST at 100, GTC, account 1, ClOrderId 7"
std::string request_sentence(const core::Request& request, const ReferenceData& reference);

// `text` as a JSON string, with its quotes.
std::string json_string(std::string_view text);

}  // namespace shmatch::tools
