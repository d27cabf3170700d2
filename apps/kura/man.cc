// kura man: manual pages in roff, made from the declared options.
#include <memory>

#include <fmt/format.h>

#include "base/version.h"
#include "command.h"

namespace kura::app {

namespace {

struct ManOptions {
  std::string command;
};

std::string escaped(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_start = c == '\n';
  }
  return out;
}

std::string option_text(const CLI::Option* option) {
  std::string names;
  for (const auto& name : option->get_snames())
    names += fmt::format("{}\\fB\\-{}\\fR", names.empty() ? "" : ", ", name);
  for (const auto& name : option->get_lnames())
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", escaped("--" + name));
  if (option->get_positional())
    names = fmt::format("\\fI{}\\fR", escaped(option->get_type_name()));
  else if (option->get_items_expected_max() > 0)
    names += fmt::format(" \\fI{}\\fR", escaped(option->get_type_name()));
  std::string text = escaped(option->get_description());
  if (!option->get_envname().empty()) text += fmt::format(" Environment: \\fB{}\\fR.", option->get_envname());
  return fmt::format(".TP\n{}\n{}\n", names, text);
}

std::string options_section(const CLI::App* parser, const char* title) {
  std::string text = fmt::format(".SH {}\n", title);
  for (const CLI::Option* option : parser->get_options()) text += option_text(option);
  return text;
}

std::string commands_section(const CLI::App* parser) {
  const auto commands = commands_of(parser);
  if (commands.empty()) return "";
  std::string text = ".SH COMMANDS\n";
  for (const CLI::App* command : commands) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", command->get_name(), escaped(command->get_description()));
    if (parser->get_parent() == nullptr) continue;
    for (const CLI::Option* option : command->get_options()) {
      text += ".RS\n" + option_text(option) + ".RE\n";
    }
  }
  return text;
}

std::string page(const CLI::App* root, const CLI::App* parser) {
  const bool is_root = parser == root;
  const std::string name = is_root ? "kura" : "kura-" + parser->get_name();
  std::string text = fmt::format(".TH {} 1 \"\" \"Kuramori {}\" \"Kuramori manual\"\n.SH NAME\n{} \\- {}\n", name,
                                 base::version(), escaped(name), escaped(parser->get_description()));
  text += fmt::format(".SH SYNOPSIS\n\\fBkura\\fR {}[\\fIoptions\\fR] ...\n",
                      is_root ? std::string("\\fIcommand\\fR ") : "\\fB" + parser->get_name() + "\\fR ");
  text += commands_section(parser);
  text += options_section(parser, "OPTIONS");
  if (!is_root) text += options_section(root, "GLOBAL OPTIONS");
  if (!parser->get_footer().empty())
    text += ".SH NOTES AND EXAMPLES\n.nf\n" + escaped(parser->get_footer()) + "\n.fi\n";
  text +=
      ".SH ENVIRONMENT\n\\fBKURA_PASSPHRASE_FILE\\fR, \\fBKURA_PASSPHRASE\\fR: passphrase of the recovery key, when no "
      "option gives it.\n";
  return text;
}

base::Result<ExitCode> run_man(const Context& context, const ManOptions& options, const CLI::App* root) {
  if (options.command.empty()) {
    context.output.line(page(root, root));
    return kDone;
  }
  const auto found =
      root->get_subcommands([&](const CLI::App* command) { return command->get_name() == options.command; });
  if (found.empty()) {
    return base::fail(base::ErrorCode::kUsage, "there is no command '" + options.command + "'",
                      "`kura --help` lists them");
  }
  context.output.line(page(root, found.front()));
  return kDone;
}

}  // namespace

void add_man(CommandTable& table) {
  auto options = std::make_shared<ManOptions>();
  const CLI::App* root = &table.root();
  CLI::App* command = table.add("man", "Print a manual page", "Example:\n  kura man backup | man -l -",
                                [options, root](const Context& context) { return run_man(context, *options, root); });
  command->add_option("command", options->command, "Of this command (default: of kura itself)")->type_name("COMMAND");
}

}  // namespace kura::app
