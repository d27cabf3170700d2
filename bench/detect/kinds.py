"""What kind a file of the corpus is, for the tables: by its ending, and by its first bytes where it has none that says."""
from pathlib import Path

ENDINGS = {
    "zip": "zip", "docx": "ooxml", "docm": "ooxml", "dotx": "ooxml", "xlsx": "ooxml", "xlsm": "ooxml", "xltx": "ooxml", "xlsb": "ooxml",
    "pptx": "ooxml", "pptm": "ooxml", "potx": "ooxml", "ppsx": "ooxml", "odt": "odf", "ods": "odf", "odp": "odf", "odg": "odf",
    "odb": "odf", "ott": "odf", "ots": "odf", "otp": "odf", "odf": "odf", "odm": "odf", "otg": "odf", "sxw": "odf", "sxc": "odf",
    "fodt": "xml", "fods": "xml", "fodp": "xml", "fodg": "xml", "jar": "jar", "epub": "epub", "gz": "gzip", "tgz": "gzip", "svgz": "gzip",
    "bz2": "bzip2", "tbz2": "bzip2", "xz": "xz", "txz": "xz", "lzma": "lzma", "zst": "zstd", "lz4": "lz4", "lz": "lzip", "7z": "7z",
    "rar": "rar", "tar": "tar", "cpio": "cpio", "rpm": "rpm", "deb": "ar", "a": "ar", "cab": "cab", "pdf": "pdf", "ps": "postscript",
    "eps": "postscript", "doc": "cfb", "dot": "cfb", "xls": "cfb", "xlt": "cfb", "ppt": "cfb", "pps": "cfb", "pot": "cfb", "msg": "cfb",
    "vsd": "cfb", "pub": "cfb", "mpp": "cfb", "msi": "cfb", "rtf": "rtf", "png": "png", "jpg": "jpeg", "jpeg": "jpeg", "jpe": "jpeg",
    "gif": "gif", "tif": "tiff", "tiff": "tiff", "webp": "webp", "bmp": "bmp", "psd": "psd", "ico": "ico", "cur": "ico", "xcf": "xcf",
    "pcx": "pcx", "tga": "tga", "ppm": "netpbm", "pgm": "netpbm", "pbm": "netpbm", "pnm": "netpbm", "xpm": "text", "jp2": "jpeg2000",
    "j2k": "jpeg2000", "jpx": "jpeg2000", "exr": "exr", "dds": "dds", "avif": "heif", "heic": "heif", "wmf": "wmf", "emf": "emf",
    "ogg": "ogg", "oga": "ogg", "opus": "ogg", "ogv": "ogg", "spx": "ogg", "flac": "flac", "mp3": "mp3", "wav": "wav", "aif": "aiff",
    "aiff": "aiff", "au": "au", "mid": "midi", "midi": "midi", "mp4": "mp4", "m4a": "mp4", "m4v": "mp4", "mov": "mp4", "mkv": "mkv",
    "webm": "mkv", "mka": "mkv", "avi": "avi", "wma": "asf", "wmv": "asf", "exe": "pe", "dll": "pe", "efi": "pe", "sys": "pe", "so": "elf",
    "o": "elf", "ko": "elf", "class": "class", "pyc": "pyc", "wasm": "wasm", "sqlite": "sqlite", "sqlite3": "sqlite", "db3": "sqlite",
    "gpkg": "sqlite", "dbf": "dbf", "mdb": "access", "accdb": "access", "pst": "pst", "ost": "pst", "vhd": "vhd", "vhdx": "vhdx",
    "vmdk": "vmdk", "qcow2": "qcow2", "vdi": "vdi", "ext4": "ext", "ext2": "ext", "ntfs": "ntfs", "fat": "fat", "squashfs": "squashfs",
    "xfs": "xfs", "btrfs": "btrfs", "iso": "iso9660", "ttf": "font", "otf": "font", "ttc": "font", "woff": "woff", "woff2": "woff",
    "pfb": "type1", "dxf": "dxf", "dwg": "dwg", "eml": "mail", "mbox": "mail", "xml": "xml", "svg": "xml", "xhtml": "xml", "xsl": "xml",
    "xsd": "xml", "ui": "xml", "rng": "xml", "gml": "xml", "kml": "xml", "json": "json", "geojson": "json", "html": "html", "htm": "html",
    "css": "source", "csv": "csv", "tsv": "csv", "md": "text", "rst": "text", "txt": "text", "tex": "text", "po": "text", "mo": "mo",
    "yml": "text", "yaml": "text", "conf": "text", "ini": "text", "sgml": "text", "log": "text", "sql": "source", "c": "source",
    "h": "source", "cc": "source", "cpp": "source", "cxx": "source", "hxx": "source", "hpp": "source", "py": "source", "java": "source",
    "js": "source", "ts": "source", "go": "source", "rb": "source", "pl": "source", "pm": "source", "sh": "source", "t": "source",
    "el": "source", "tcl": "source", "lua": "source", "m": "source", "cs": "source", "r": "source", "php": "source", "s": "source",
    "gpg": "openpgp", "pgp": "openpgp", "asc": "openpgp-text", "kdbx": "keepass", "kdb": "keepass", "age": "age", "luks": "luks",
    "p7m": "pkcs7", "p7s": "pkcs7", "p12": "pkcs12", "pfx": "pkcs12", "pem": "pem", "crt": "pem", "key": "pem", "der": "der",
    "cer": "der", "sjis": "text-sjis", "eucjp": "text-euc-jp", "gb18030": "text-gb18030", "big5": "text-big5", "utf16": "text-utf16",
    "patch": "text", "diff": "text", "shp": "shp", "shx": "shp", "pack": "git-pack", "idx": "git-idx", "jis": "text-iso2022-jp", "enc": "openssl-enc", "vcf": "text", "ics": "text",
}
MAGIC = [(b"\x7fELF", "elf"), (b"#!", "source"), (b"MZ", "pe"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"), (b"\x1f\x8b", "gzip"),
         (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"),
         (b"SQLite format 3\0", "sqlite"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "cfb"), (b"<?xml", "xml"), (b"{\\rtf", "rtf"),
         (b"OggS", "ogg"), (b"fLaC", "flac"), (b"7z\xbc\xaf\x27\x1c", "7z")]
TEXTS = {"text", "source", "xml", "html", "json", "csv", "mail", "dxf", "rtf", "pem", "openpgp-text", "text-sjis", "text-euc-jp",
         "text-gb18030", "text-big5", "text-utf16"}


def kind_of(path: Path) -> str:
    ending = path.suffix[1:].lower()
    with open(path, "rb") as file:
        head = file.read(4096)
    sniffed = next((kind for magic, kind in MAGIC if head.startswith(magic)), "")
    kind = ENDINGS.get(ending, "")
    if kind == "cfb" and sniffed != "cfb":  # .doc is also the name of RTF, of text and of HTML
        return sniffed or of_contents(head)
    return kind or sniffed or of_contents(head)


def of_contents(head: bytes) -> str:
    if b"\0" in head:
        return "other"
    try:
        head[:-4].decode()
    except UnicodeDecodeError:
        return "text-other" if sum(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in head) < len(head) / 100 else "other"
    return "text"
