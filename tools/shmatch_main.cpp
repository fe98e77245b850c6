// shmatch: the command line of a running engine.
#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "tools/command.h"

namespace {

using shmatch::tools::CommandLine;

// Errors are one sentence on one line.
void complain(std::string_view sentence) {
  std::string line(sentence);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  std::cerr << "shmatch: " << line << '\n';
}

void describe_program(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", "shmatch " SHMATCH_VERSION);
  app.add_option("--socket", line.global.socket,
                 "the engine's socket; default $XDG_RUNTIME_DIR/shmatch/engine.sock, else "
                 "/tmp/shmatch-UID/engine.sock");
  app.add_option("--user", line.global.user,
                 "user to log on as; default the first one configured for you");
  app.add_flag("--json", line.global.json, "print the API's own objects, one a line");
  app.require_subcommand(1);
  shmatch::tools::add_exec_command(app, line);
  shmatch::tools::add_send_command(app, line);
  shmatch::tools::add_cancel_command(app, line);
  shmatch::tools::add_status_command(app, line);
  shmatch::tools::add_open_orders_command(app, line);
  shmatch::tools::add_book_command(app, line);
  shmatch::tools::add_watch_command(app, line);
  shmatch::tools::add_top_command(app, line);
  shmatch::tools::add_latency_command(app, line);
  shmatch::tools::add_doctor_command(app, line);
  shmatch::tools::add_replay_command(app, line);
  shmatch::tools::add_journal_command(app, line);
  app.footer(
      "Global flags stand before the command; 'shmatch COMMAND --help' tells about one.\n"
      "Exit status: 0 done, 1 the engine refused, 2 usage, 3 no engine or logon refused,\n"
      "4 the engine went away.\n"
      "Example:\n"
      "  shmatch --user trader1 cancel --order-id 42");
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

// CLI11 has one answer to an unknown command, to a missing one, and to an option or a file that a
// command needs.
std::string what_is_missing(const CLI::App& app) {
  const CLI::App* last = &app;
  std::string name;
  while (!last->get_subcommands().empty()) {
    last = last->get_subcommands().front();
    name += (name.empty() ? "" : " ") + last->get_name();
  }
  std::vector<std::string> commands;
  for (const CLI::App* command : last->get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
  }
  if (!commands.empty()) {
    const std::vector<std::string> unknown = last->remaining();
    const std::string which = name.empty() ? "" : name + " ";
    return (unknown.empty() ? "a " + which + "command is needed: "
                            : "unknown command " + which + unknown.front() + "; the " + which +
                                  "commands are: ") +
           joined(commands, ", ");
  }
  std::vector<std::string> missing;
  for (const CLI::Option* option : last->get_options()) {
    if (!option->get_required() || option->count() > 0) continue;
    missing.push_back(option->get_name() + ", " + option->get_description());
  }
  return name + " needs " + joined(missing, "; and ");
}

int run(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Trade with a running shmatchd through shared memory.", "shmatch");
  describe_program(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::RequiredError&) {
    complain(what_is_missing(app));
    return shmatch::tools::kExitUsage;
  } catch (const CLI::ParseError& error) {
    complain(error.what());
    return shmatch::tools::kExitUsage;
  }
  return line.run();
}

}  // namespace

int main(int argc, char** argv) {
  // A file that may not grow further is an error of whoever writes it, with a sentence.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const shmatch::tools::ExitError& error) {
    complain(error.what());
    return error.status;
  } catch (const std::exception& error) {
    complain(error.what());
    return shmatch::tools::kExitUsage;
  }
}
