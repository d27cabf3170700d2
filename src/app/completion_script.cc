// Completion scripts, made from the declared options, so they never lag behind them.
#include <algorithm>

#include <fmt/format.h>

#include "app/commands.h"

namespace kura::app {

namespace {

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

// The commands that have others below them, as a pattern of `case`.
std::string parents(const CLI::App* root) {
  std::string pattern;
  for (const CLI::App* command : commands_of(root)) {
    if (!commands_of(command).empty()) pattern += (pattern.empty() ? "" : " | ") + command->get_name();
  }
  return pattern.empty() ? "''" : pattern;
}

// Its name as part of a function's.
std::string identifier(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string bash(const CLI::App* root) {
  std::string cases;
  for (const CLI::App* command : commands_of(root)) {
    cases += fmt::format("    {}) words='{}' ;;\n", command->get_name(), words(command, root));
    for (const CLI::App* below : commands_of(command)) {
      cases += fmt::format("    '{} {}') words='{}' ;;\n", command->get_name(), below->get_name(), words(below, root));
    }
  }
  return fmt::format(R"(# bash completion for {0}; use it by: source <({0} completion bash)
_{1}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} chosen='' only_words='' word words='{2}' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case $word in
    {3}) i=$((i + 1)) ;;
    -*) ;;
    *) case "$chosen" in '') [[ " {4} " == *" $word "* ]] && chosen=$word ;; {6}) chosen="$chosen $word" ;; esac ;;
    esac
  done
  case $chosen in
{5}  esac
  case $chosen in {6} | '' | completion) only_words=yes ;; esac
  if [[ $current == -* || -n $only_words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    local IFS=$'\n'
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _{1} {0}
)",
                     root->get_name(), identifier(root->get_name()), words(root, root), valued_options(root),
                     command_names(root), cases, parents(root));
}

std::string zsh(const CLI::App* root) {
  return fmt::format(
             "#compdef {0}\n# zsh completion for {0}; use it by: source <({0} completion zsh)\nautoload -U +X "
             "bashcompinit && bashcompinit\n",
             root->get_name()) +
         bash(root);
}

std::string quoted(std::string text) {
  std::erase(text, '\'');
  return text;
}

std::string fish_options(const std::string& program, const CLI::App* parser, const std::string& condition) {
  std::string lines;
  for (const CLI::Option* option : parser->get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string shorter = option->get_snames().empty() ? "" : " -s " + option->get_snames().front();
    lines +=
        fmt::format("complete -c {}{}{} -l {}{} -d '{}'\n", program, condition, shorter, option->get_lnames().front(),
                    option->get_items_expected_max() > 0 ? " -r" : "", quoted(option->get_description()));
  }
  return lines;
}

std::string fish(const CLI::App* root) {
  const std::string& program = root->get_name();
  std::string text = fmt::format("# fish completion for {0}; use it by: {0} completion fish | source\n", program) +
                     fish_options(program, root, "");
  for (const CLI::App* command : commands_of(root)) {
    text += fmt::format("complete -c {} -n __fish_use_subcommand -f -a {} -d '{}'\n", program, command->get_name(),
                        quoted(command->get_description()));
    text += fish_options(program, command, fmt::format(" -n '__fish_seen_subcommand_from {}'", command->get_name()));
    for (const CLI::App* below : commands_of(command)) {
      text += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}' -f -a {} -d '{}'\n", program,
                          command->get_name(), below->get_name(), quoted(below->get_description()));
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App* root, const std::string& shell) {
  return shell == "fish" ? fish(root) : shell == "zsh" ? zsh(root) : bash(root);
}

}  // namespace kura::app
