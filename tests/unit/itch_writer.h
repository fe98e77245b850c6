// Writes ITCH 5.0 messages byte by byte, as the specification lays them out: the tests' own
// knowledge of the format, beside the reader's.
#pragma once

#include <cstdint>
#include <string>

namespace shmatch::tests {

class ItchWriter {
 public:
  enum class Prefix { kLength, kZero, kNone };

  explicit ItchWriter(Prefix prefix) : prefix_(prefix) {}

  void system_event(std::uint64_t time, char code) {
    begin('S', 0, time);
    body_ += code;
    end();
  }
  void add(std::uint16_t locate, std::uint64_t time, std::uint64_t reference, char side,
           std::uint32_t shares, const std::string& stock, std::uint32_t price,
           const std::string& mpid = "") {
    begin(mpid.empty() ? 'A' : 'F', locate, time);
    number(reference, 8);
    body_ += side;
    number(shares, 4);
    body_ += stock + std::string(8 - stock.size(), ' ');
    number(price, 4);
    body_ += mpid;
    end();
  }
  void executed(std::uint16_t locate, std::uint64_t time, std::uint64_t reference,
                std::uint32_t shares) {
    begin('E', locate, time);
    number(reference, 8);
    number(shares, 4);
    number(77, 8);  // match number
    end();
  }
  void executed_with_price(std::uint16_t locate, std::uint64_t time, std::uint64_t reference,
                           std::uint32_t shares, std::uint32_t price) {
    begin('C', locate, time);
    number(reference, 8);
    number(shares, 4);
    number(78, 8);  // match number
    body_ += 'Y';
    number(price, 4);
    end();
  }
  void partial_cancel(std::uint16_t locate, std::uint64_t time, std::uint64_t reference,
                      std::uint32_t shares) {
    begin('X', locate, time);
    number(reference, 8);
    number(shares, 4);
    end();
  }
  void remove(std::uint16_t locate, std::uint64_t time, std::uint64_t reference) {
    begin('D', locate, time);
    number(reference, 8);
    end();
  }
  void replace(std::uint16_t locate, std::uint64_t time, std::uint64_t reference,
               std::uint64_t new_reference, std::uint32_t shares, std::uint32_t price) {
    begin('U', locate, time);
    number(reference, 8);
    number(new_reference, 8);
    number(shares, 4);
    number(price, 4);
    end();
  }
  // A message of any type, `size` bytes long.
  void filler(char type, std::size_t size, std::uint64_t time) {
    begin(type, 1, time);
    body_.resize(size, ' ');
    end();
  }

  // Everything so far.
  const std::string& bytes() const noexcept { return bytes_; }

 private:
  void begin(char type, std::uint16_t locate, std::uint64_t time) {
    body_.assign(1, type);
    number(locate, 2);
    number(0, 2);  // tracking number
    number(time, 6);
  }
  void number(std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      body_ += static_cast<char>((value >> shift) & 0xFF);
    }
  }
  void end() {
    const std::size_t length = prefix_ == Prefix::kLength ? body_.size() : 0;
    if (prefix_ != Prefix::kNone) {
      bytes_ += static_cast<char>(length >> 8);
      bytes_ += static_cast<char>(length & 0xFF);
    }
    bytes_ += body_;
  }

  Prefix prefix_;
  std::string body_;
  std::string bytes_;
};

}  // namespace shmatch::tests
