// Radix's menu for the items of an open one: the panel, which is fetched late, hands it down.
import type * as Radix from "@radix-ui/react-dropdown-menu";
import { createContext } from "react";

export const MenuParts = createContext<typeof Radix | null>(null);
