/** The address of the SVG file that vite.config.ts makes of the icons named in ui/icons.tsx. */
declare module "virtual:icons" {
  const url: string;
  export default url;
}
