"""Ransom notes as they are left behind, in several languages. Addresses in them lead nowhere: they come from the seed."""
import random
import string

NAMES = {"en": "HOW_TO_RECOVER_YOUR_FILES.txt", "ja": "ファイルの復元方法.txt", "de": "DATEIEN_WIEDERHERSTELLEN.txt",
         "fr": "RECUPERER_VOS_FICHIERS.txt", "ru": "КАК_ВЕРНУТЬ_ФАЙЛЫ.txt", "zh": "如何恢复文件.txt", "html": "README_TO_DECRYPT.html"}

TEXTS = {
    "en": """All of your files have been encrypted!

Your network was penetrated and your documents, databases and backups were encrypted with strong algorithms.
We also downloaded your confidential data. If you do not contact us within 72 hours it will be published.
Do not rename the files and do not use third party software: your data will be lost.
1. Install Tor Browser from its site.
2. Open {site}
3. Enter your personal ID: {identity}
Price is paid in Bitcoin: {wallet}
""",
    "ja": """あなたのすべてのファイルは暗号化されました。

ネットワーク内の文書、データベース、バックアップは強力な方式で暗号化され、機密データは当方が保管しています。
72時間以内に連絡がない場合、データを公開します。ファイル名を変更したり、他社の復元ソフトを使わないでください。
1. Tor Browser をインストールしてください。
2. {site} を開いてください。
3. あなたの個人ID: {identity}
支払いはビットコインで: {wallet}
""",
    "de": """Alle Ihre Dateien wurden verschlüsselt!

Ihre Dokumente, Datenbanken und Sicherungen sind mit starken Verfahren verschlüsselt, vertrauliche Daten liegen bei uns.
Wenn Sie sich nicht binnen 72 Stunden melden, werden sie veröffentlicht. Benennen Sie keine Dateien um.
Tor-Browser installieren, {site} öffnen, Ihre persönliche Kennung eingeben: {identity}
Bezahlt wird in Bitcoin: {wallet}
""",
    "fr": """Tous vos fichiers ont été chiffrés !

Vos documents, bases de données et sauvegardes sont chiffrés, et vos données confidentielles sont entre nos mains.
Sans contact sous 72 heures, elles seront publiées. Ne renommez pas les fichiers.
Installez le navigateur Tor, ouvrez {site} et donnez votre identifiant : {identity}
Paiement en Bitcoin : {wallet}
""",
    "ru": """Все ваши файлы зашифрованы!

Документы, базы данных и резервные копии зашифрованы, конфиденциальные данные скопированы.
Если вы не свяжетесь с нами в течение 72 часов, они будут опубликованы. Не переименовывайте файлы.
Установите Tor Browser, откройте {site}, ваш личный ID: {identity}
Оплата в Bitcoin: {wallet}
""",
    "zh": """您的所有文件都已被加密！

您的文档、数据库和备份已被高强度算法加密，机密数据已被我们下载。
如果72小时内不联系我们，数据将被公开。请不要重命名文件。
安装 Tor 浏览器，打开 {site}，输入您的个人 ID：{identity}
使用比特币付款：{wallet}
""",
    "html": """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Your files are encrypted</title></head>
<body style="background:#200;color:#fff"><h1>All your files are encrypted</h1>
<p>To decrypt them you have to buy our decryptor. Open <a href="{site}">{site}</a> in Tor Browser.</p>
<p>Your personal ID:</p><pre>{identity}</pre><p>Bitcoin: {wallet}</p></body></html>
""",
}


def note(language: str, seed: int) -> tuple[str, bytes]:
    """Name and contents of a note."""
    chance = random.Random(f"note {seed}")
    words = {"site": "http://" + _letters(chance, string.ascii_lowercase + "234567", 56) + ".onion/",
             "identity": _letters(chance, "0123456789ABCDEF", 64),
             "wallet": "bc1q" + _letters(chance, string.ascii_lowercase + string.digits, 38)}
    return NAMES[language], TEXTS[language].format(**words).encode()


def _letters(chance: random.Random, alphabet: str, count: int) -> str:
    return "".join(chance.choice(alphabet) for _ in range(count))
