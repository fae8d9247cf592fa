/** A sentence to hear a voice by, in each language that a model speaks; one's own are not translated. */

const SENTENCES: Record<string, string> = {
  de: "Der Morgen war still, und über dem Hafen stand ein heller Streifen Licht.",
  en: "The morning was quiet, and a bright line of light lay over the harbour.",
  es: "La mañana era tranquila, y una franja de luz clara cubría el puerto.",
  fr: "Le matin était calme, et une ligne de lumière claire flottait sur le port.",
  hi: "सुबह शांत थी, और बंदरगाह के ऊपर रोशनी की एक चमकीली रेखा थी।",
  it: "Il mattino era tranquillo, e una striscia di luce chiara copriva il porto.",
  ja: "静かな朝で、港の上には明るい光の帯が広がっていました。",
  ko: "조용한 아침이었고, 항구 위로 밝은 빛이 길게 드리워져 있었습니다.",
  pt: "A manhã estava calma, e uma faixa de luz clara pairava sobre o porto.",
  ru: "Утро было тихим, и над гаванью тянулась светлая полоса.",
  zh: "清晨很安静，港口上空有一道明亮的光。",
};

/** language: a tag like "fr-FR". */
export function sampleIn(language: string): string {
  return SENTENCES[language.toLowerCase().split(/[-_]/)[0] ?? ""] ?? SENTENCES["en"] ?? "";
}
