// Manual pages in roff, made from the declared options.
#include <fmt/format.h>

#include "app/commands.h"
#include "base/version.h"

namespace kura::app {

namespace {

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

}  // namespace

std::string man_page(const CLI::App* root, const CLI::App* parser, const std::string& environment) {
  const bool is_root = parser == root;
  const std::string name = is_root ? root->get_name() : root->get_name() + "-" + parser->get_name();
  std::string text = fmt::format(".TH {} 1 \"\" \"Kuramori {}\" \"Kuramori manual\"\n.SH NAME\n{} \\- {}\n", name,
                                 base::version(), escaped(name), escaped(parser->get_description()));
  text += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR {}[\\fIoptions\\fR] ...\n", escaped(root->get_name()),
                      is_root ? std::string("\\fIcommand\\fR ") : "\\fB" + parser->get_name() + "\\fR ");
  text += commands_section(parser);
  text += options_section(parser, "OPTIONS");
  if (!is_root) text += options_section(root, "GLOBAL OPTIONS");
  if (!parser->get_footer().empty())
    text += ".SH NOTES AND EXAMPLES\n.nf\n" + escaped(parser->get_footer()) + "\n.fi\n";
  if (!environment.empty()) text += ".SH ENVIRONMENT\n" + environment + "\n";
  return text;
}

}  // namespace kura::app
