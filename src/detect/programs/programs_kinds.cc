#include "detect/programs/programs_kinds.h"

#include <array>

#include "detect/programs/elf.h"
#include "detect/programs/java_class.h"
#include "detect/programs/pe.h"
#include "detect/programs/python_code.h"
#include "detect/programs/wasm.h"

namespace kura::detect {
namespace {

constexpr std::array kProgramsKinds = {
    Kind{"elf", "so o ko elf debug axf out node mod prx", programs::is_elf, programs::check_elf},
    Kind{"pe", "exe dll sys ocx scr cpl efi drv mui pyd winmd ax acm node", programs::is_pe, programs::check_pe},
    Kind{"java class", "class", programs::is_java_class, programs::check_java_class},
    Kind{"wasm", "wasm", programs::is_wasm, programs::check_wasm},
    Kind{"python code", "pyc pyo", programs::is_python_code, programs::check_python_code},
};

}  // namespace

std::span<const Kind> programs_kinds() { return kProgramsKinds; }

}  // namespace kura::detect
