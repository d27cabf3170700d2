// kura completion bash | zsh | fish: made from the declared options, so it never lags behind them.
#include <memory>

#include <fmt/format.h>

#include "command.h"

namespace kura::app {

namespace {

struct CompletionOptions {
  std::string shell;
};

std::string option_names(const CLI::App* parser) {
  std::string names;
  for (const CLI::Option* option : parser->get_options()) {
    for (const auto& name : option->get_snames()) names += "-" + name + " ";
    for (const auto& name : option->get_lnames()) names += "--" + name + " ";
  }
  return names;
}

std::string command_names(const CLI::App* parser) {
  std::string names;
  for (const CLI::App* command : commands_of(parser)) names += command->get_name() + " ";
  return names;
}

// Words that may follow `parser`, with the global options.
std::string words(const CLI::App* parser, const CLI::App* root) {
  return command_names(parser) + option_names(parser) + (parser == root ? "" : option_names(root));
}

// The global options whose next word is their value, as a pattern of the shell's `case`.
std::string valued_options(const CLI::App* root) {
  std::string pattern;
  for (const CLI::Option* option : root->get_options()) {
    if (option->get_items_expected_max() == 0) continue;
    for (const auto& name : option->get_snames()) pattern += (pattern.empty() ? "-" : " | -") + name;
    for (const auto& name : option->get_lnames()) pattern += (pattern.empty() ? "--" : " | --") + name;
  }
  return pattern;
}

std::string bash(const CLI::App* root) {
  std::string cases;
  for (const CLI::App* command : commands_of(root)) {
    cases += fmt::format("    {}) words='{}' ;;\n", command->get_name(), words(command, root));
    for (const CLI::App* below : commands_of(command)) {
      cases += fmt::format("    '{} {}') words='{}' ;;\n", command->get_name(), below->get_name(), words(below, root));
    }
  }
  return fmt::format(R"(# bash completion for kura; use it by: source <(kura completion bash)
_kura() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} chosen='' word words='{}' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case $word in
    {}) i=$((i + 1)) ;;
    -*) ;;
    *) case "$chosen" in '') [[ " {} " == *" $word "* ]] && chosen=$word ;; key) chosen="key $word" ;; esac ;;
    esac
  done
  case $chosen in
{}  esac
  if [[ $current == -* || -z $chosen || $chosen == key || $chosen == completion ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    local IFS=$'\n'
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _kura kura
)",
                     words(root, root), valued_options(root), command_names(root), cases);
}

std::string zsh(const CLI::App* root) {
  return "#compdef kura\n# zsh completion for kura; use it by: source <(kura completion zsh)\nautoload -U +X "
         "bashcompinit && bashcompinit\n" +
         bash(root);
}

std::string quoted(std::string text) {
  std::erase(text, '\'');
  return text;
}

std::string fish_options(const CLI::App* parser, const std::string& condition) {
  std::string lines;
  for (const CLI::Option* option : parser->get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string shorter = option->get_snames().empty() ? "" : " -s " + option->get_snames().front();
    lines += fmt::format("complete -c kura{}{} -l {}{} -d '{}'\n", condition, shorter, option->get_lnames().front(),
                         option->get_items_expected_max() > 0 ? " -r" : "", quoted(option->get_description()));
  }
  return lines;
}

std::string fish(const CLI::App* root) {
  std::string text = "# fish completion for kura; use it by: kura completion fish | source\n" + fish_options(root, "");
  for (const CLI::App* command : commands_of(root)) {
    text += fmt::format("complete -c kura -n __fish_use_subcommand -f -a {} -d '{}'\n", command->get_name(),
                        quoted(command->get_description()));
    text += fish_options(command, fmt::format(" -n '__fish_seen_subcommand_from {}'", command->get_name()));
    for (const CLI::App* below : commands_of(command)) {
      text += fmt::format("complete -c kura -n '__fish_seen_subcommand_from {}' -f -a {} -d '{}'\n",
                          command->get_name(), below->get_name(), quoted(below->get_description()));
    }
  }
  return text;
}

}  // namespace

void add_completion(CommandTable& table) {
  auto options = std::make_shared<CompletionOptions>();
  CLI::App* root = &table.root();
  CLI::App* command = table.add(
      "completion", "Print a completion script for a shell", "Example:\n  source <(kura completion bash)",
      [options, root](const Context& context) -> base::Result<ExitCode> {
        context.output.line(options->shell == "fish" ? fish(root) : options->shell == "zsh" ? zsh(root) : bash(root));
        return kDone;
      });
  command->add_option("shell", options->shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
}

}  // namespace kura::app
