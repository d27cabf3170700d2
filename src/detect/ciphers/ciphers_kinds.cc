#include "detect/ciphers/ciphers_kinds.h"

#include <array>

#include "detect/ciphers/validators.h"

namespace kura::detect {
namespace {

// Keys, certificates and signatures are here too: they share the grammars, and are no ciphers.
constexpr std::array kCiphers = {
    Kind{"age", "age", age::recognise, age::check},
    Kind{"armoured openpgp", "asc pgp", pgp_armour::recognise, pgp_armour::check},
    Kind{"pem", "pem crt cer key csr crl", pem::recognise, pem::check},
    Kind{"keepass", "kdbx kdb", keepass::recognise, keepass::check},
    Kind{"luks", "luks luks2", luks::recognise, luks::check},
    Kind{"ansible vault", "", ansible_vault::recognise, ansible_vault::check},
    Kind{"git-crypt", "", git_crypt::recognise, git_crypt::check},
    Kind{"openssl enc", "enc", openssl_enc::recognise, openssl_enc::check},
    Kind{"pkcs12", "p12 pfx", pkcs12::recognise, pkcs12::check},
    Kind{"cms", "p7m p7s p7c p7b p7e p7 p7z", cms::recognise, cms::check},
    Kind{"x509", "der crt cer crl csr p8 key", x509::recognise, x509::check},
    Kind{"s-expression", "key", s_expression::recognise, s_expression::check},
    Kind{"openpgp", "gpg pgp sig asc", openpgp::recognise, openpgp::check},
};

}  // namespace

std::span<const Kind> ciphers_kinds() { return kCiphers; }

}  // namespace kura::detect
