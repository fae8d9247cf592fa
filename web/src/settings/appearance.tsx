import { LANGUAGES, language } from "~/text/language";
import { usePreference } from "~/text/preferences";
import { THEMES, theme } from "~/text/theme";
import { useWords } from "~/text/words";
import { Choice } from "~/ui/choice";
import { Section } from "~/ui/page";
import { words } from "./words";

// Each language in its own words: who reads no other finds it all the same.
const NAMES = { en: "English", fr: "Français" };

export function Appearance() {
  const w = useWords(words);
  const [chosenTheme, setTheme] = usePreference(theme);
  const [chosenLanguage, setLanguage] = usePreference(language);
  return (
    <Section title={w.look} lead={w.lookLead}>
      <div className="flex flex-wrap gap-x-8 gap-y-4">
        <Choice label={w.theme} value={chosenTheme} onChange={setTheme} options={THEMES.map((value) => ({ value, label: w[value] }))} />
        <Choice
          label={w.language}
          value={chosenLanguage}
          onChange={setLanguage}
          options={[{ value: "system", label: w.system }, ...LANGUAGES.map((value) => ({ value, label: NAMES[value] }))]}
        />
      </div>
    </Section>
  );
}
