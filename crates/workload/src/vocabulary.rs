//! Words, and phrases of them.

use std::collections::HashSet;

use crate::draw::{Draw, Zipf};

const WORDS: u32 = 20_000;

const REAL: &str = "refund invoice login password delivery order error payment account printer \
                    broken late cancel subscription network email reset update missing damaged";

const CONSONANTS: &[u8] = b"bcdfghklmnprstvw";
const VOWELS: &[u8] = b"aeiou";

/// What class 15 looks for: no word has it, though each of its trigrams occurs.
const ABSENT: &str = "nisavo";

/// The words of one seed, the frequent ones first.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    words: Vec<String>,
    ranks: Zipf,
}

impl Vocabulary {
    /// The real words first, then made ones; all differ.
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        let mut words: Vec<_> = REAL.split(' ').map(str::to_owned).collect();
        let mut known: HashSet<_> = words.iter().cloned().collect();
        while words.len() < WORDS as usize {
            let word = made_word(draw);
            if !word.contains(ABSENT) && known.insert(word.clone()) {
                words.push(word);
            }
        }
        Self { words, ranks: Zipf::new(WORDS) }
    }

    /// `count` words with spaces between them.
    pub(crate) fn phrase(&self, count: u64, draw: &mut Draw) -> String {
        join(count, " ", || &self.words[self.ranks.draw(draw)])
    }
}

/// 2 to 5 words of support in another script.
pub(crate) fn foreign_phrase(draw: &mut Draw) -> String {
    let script = draw.below(SCRIPTS.len() as u64) as usize;
    phrase_in(script, draw)
}

/// 2 to 5 words of one script, by its number.
pub(crate) fn phrase_in(script: usize, draw: &mut Draw) -> String {
    let (space, words) = SCRIPTS[script];
    let words: Vec<_> = words.split(' ').collect();
    join(draw.between(2, 5), space, || *draw.pick(&words))
}

/// 2 to 4 syllables, and a last consonant for half of them.
fn made_word(draw: &mut Draw) -> String {
    let mut word = String::new();
    for _ in 0..draw.between(2, 4) {
        word.push(char::from(*draw.pick(CONSONANTS)));
        word.push(char::from(*draw.pick(VOWELS)));
    }
    if draw.percent(50) {
        word.push(char::from(*draw.pick(CONSONANTS)));
    }
    word
}

fn join<'a>(count: u64, space: &str, mut word: impl FnMut() -> &'a str) -> String {
    let mut phrase = String::new();
    for position in 0..count {
        if position > 0 {
            phrase.push_str(space);
        }
        phrase.push_str(word());
    }
    phrase
}

pub(crate) const CHINESE: usize = 0;
pub(crate) const TURKISH: usize = 3;

/// Chinese, Japanese, Arabic, Turkish and Greek, each with what stands between its words. The last
/// two have letters whose case is not simple: `İ`, `ı`, `Σ` and the final `ς`.
const SCRIPTS: [(&str, &str); 5] = [
    (
        "",
        "退款 发票 登录 密码 配送 订单 错误 付款 账户 打印机 损坏 延迟 取消 订阅 网络 邮件 重置 \
         更新 丢失 无法使用",
    ),
    (
        "",
        "返金 請求書 ログイン パスワード 配送 注文 エラー 支払い アカウント プリンター 故障 遅延 \
         キャンセル 購読 ネットワーク メール リセット 更新 紛失 破損",
    ),
    (
        " ",
        "استرداد فاتورة دخول كلمة المرور توصيل طلب خطأ دفع حساب طابعة معطل متأخر إلغاء اشتراك شبكة \
         بريد تحديث مفقود تالف",
    ),
    (
        " ",
        "İade Fatura Giriş Şifre Teslimat Sipariş Hata Ödeme Hesap YAZICI Bozuk Gecikme İPTAL \
         Abonelik Ağ Eposta Sıfırlama Güncelleme Kayıp Hasarlı",
    ),
    (
        " ",
        "Επιστροφή τιμολόγιο σύνδεση κωδικός παράδοση παραγγελία σφάλμα πληρωμή λογαριασμός \
         ΕΚΤΥΠΩΤΗΣ χαλασμένος καθυστέρηση ακύρωση συνδρομή δίκτυο μήνυμα επαναφορά ενημέρωση \
         απώλεια ζημιά",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_the_rules() {
        for seed in 0..4 {
            let words = Vocabulary::draw(&mut Draw::new(seed)).words;
            assert_eq!(words.len(), WORDS as usize);
            assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len());
            assert!(words.iter().all(|word| !word.contains(ABSENT)));
            for start in 0..=ABSENT.len() - 3 {
                let trigram = &ABSENT[start..start + 3];
                assert!(words.iter().any(|word| word.contains(trigram)), "{trigram}");
            }
            let (real, made) = words.split_at(20);
            assert_eq!((&*real[0], &*real[19]), ("refund", "damaged"));
            let closed = made.iter().filter(|word| word.len() % 2 == 1).count();
            assert!(made.iter().all(|word| (4..=9).contains(&word.len())));
            assert!(closed * 10 > made.len() * 4, "{closed}");
        }
    }

    #[test]
    fn the_first_word_is_drawn_as_often_as_zipf_says() {
        let (mut draw, ranks) = (Draw::new(1), Zipf::new(WORDS));
        let firsts = (0..100_000).filter(|_| ranks.draw(&mut draw) == 0).count();
        // 1 / H(20,000) = 9.54 %.
        assert!((9_200..9_900).contains(&firsts), "{firsts}");
    }
}
