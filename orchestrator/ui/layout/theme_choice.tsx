// System, light and dark side by side, for the settings page.
import { useContext, useEffect, useState } from "react";
import { ColorModeContext } from "$/utils/context";
import { Segmented } from "../primitives/choice";

const themes = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

export function ThemeChoice() {
  const { rawColorMode, setColorMode } = useContext(ColorModeContext);
  const [ready, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  return <Segmented label="Theme" options={themes} value={ready ? rawColorMode : "system"} onChange={setColorMode} />;
}
