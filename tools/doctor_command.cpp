// doctor: what of this machine costs an engine and its clients time.
#include <CLI/CLI.hpp>
#include <memory>

#include "tools/command.h"
#include "tools/doctor.h"

namespace shmatch::tools {

namespace {

constexpr double kJitterSeconds = 0.5;

int run_doctor(int cpu, bool json) {
  std::vector<Finding> findings = examine(SystemFiles(), cpu);
  if (findings.empty()) throw ExitError(kExitNoEngine, "nothing can be read below /proc");
  const MeasuredJitter jitter = measure_jitter(cpu, kJitterSeconds);
  findings.push_back(judge_jitter(jitter));
  print(json ? doctor_json(findings, jitter) + "\n" : doctor_text(findings));
  return kExitDone;
}

}  // namespace

void add_doctor_command(CLI::App& app, CommandLine& line) {
  auto cpu = std::make_shared<int>(-1);
  CLI::App* command =
      app.add_subcommand("doctor", "Say what of this machine costs time, and how to mend it");
  command->add_option("--cpu", *cpu, "the processor that the engine has, or will have")
      ->option_text("N")
      ->check(CLI::Range(0, 65'535));
  command->footer(
      "Looks at isolation, frequency, clock, huge pages, memory limits, cgroups and the "
      "hypervisor,\n"
      "and measures the jitter for half a second; needs no engine and changes nothing. Exit status "
      "0\n"
      "whatever is found; 3 when /proc cannot be read. With --json one object is printed.\n"
      "Example:\n"
      "  shmatch doctor --cpu 1");
  command->callback(
      [&line, cpu] { line.run = [&line, cpu] { return run_doctor(*cpu, line.global.json); }; });
}

}  // namespace shmatch::tools
