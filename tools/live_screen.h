// LiveScreen: a terminal's second screen for a text that is drawn again and again, without the
// cursor and without echoing keys. The first screen, the cursor and the keyboard come back with the
// destructor; a program that makes one must end by returning, also after signals.
//
// Thread: one; at most one object at a time.
#pragma once

#include <termios.h>

#include <cstddef>
#include <string>

namespace shmatch::tools {

class LiveScreen {
 public:
  // True when standard output is a terminal, so that a LiveScreen makes sense.
  static bool possible() noexcept;

  LiveScreen();
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  // Lines that fit, as the terminal says now.
  std::size_t rows() const noexcept;
  // Draws `text` from the top left corner; longer lines are cut by the terminal.
  void draw(const std::string& text) const;

  enum class Event : unsigned char {
    kTime,    // the pause is over
    kKey,     // a key was pressed that means the end: q
    kEngine,  // `handle` is readable
    kSignal,  // one came
  };
  // Waits for `seconds`, or for something that comes before. `handle` may be -1.
  Event wait(double seconds, int handle);

 private:
  termios before_{};
  bool keyboard_ = false;  // standard input is a terminal, and changed
};

}  // namespace shmatch::tools
